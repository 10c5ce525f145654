"""The facts that the protocol's steps established, and the claim that they allow.

They are what the verdict goes by (`_verdict` puts them into words).
"""

from dataclasses import dataclass, field

from textgate.interchange import Units
from textgate.interchange.effects import Sample
from textgate.unit_search._confirmation import Confirmation, Confirmations, Judgement
from textgate.unit_search._goals import Goals
from textgate.unit_search._halves import Power
from textgate.unit_search._selection import Selection, Selections
from textgate.unit_search._subject import Place
from textgate.unit_search._subspaces import SubspaceExchange


@dataclass(frozen=True)
class SetFacts:
    """What came of a set that was chosen for a claim, to be sufficient or to be necessary.

    Attributes:
        tried: The units, in the order of selection; empty if there was nothing to try.
        limit: The most units that it might have had.
        reached: Whether it does what is claimed on the discovery half.
        confirmed: Whether it does so on the confirmation half.
        does_both: Whether the claim holds and the other one is confirmed as well.
        judgement: How it does in each thing that the claim needs; `None` if nothing was tried.
    """

    tried: Units = field(default_factory=Units)
    limit: int = 0
    reached: bool = False
    confirmed: bool = False
    does_both: bool = False
    judgement: Judgement | None = None

    @classmethod
    def of(
        cls, claim: str, limit: int, selection: Selection | None, confirmation: Confirmation | None
    ) -> "SetFacts":
        """Return the facts of a set.

        Args:
            claim: `"sufficient"` or `"necessary"`: what it was chosen to be.
            limit: The most units that it might have had.
            selection: What selection came to; `None` if there was no call for such a set.
            confirmation: What the confirmation half says; `None` if there was nothing to try.
        """
        if selection is None or confirmation is None:
            return cls(limit=limit)
        judgement = confirmation.judgements[claim]
        both = selection.reached and confirmation.sufficient and confirmation.necessary
        return cls(selection.units, limit, selection.reached, judgement.holds, both, judgement)

    @property
    def units(self) -> Units:
        """The units if the claim holds, in rising order; or none."""
        return self.tried.sorted() if self.reached and self.confirmed else Units()


@dataclass(frozen=True)
class Facts:
    """What the verdict goes by.

    Attributes:
        feature: What the pairs are about.
        place: Where the units are, such as "lstm's cell state".
        accuracy: The model's balanced accuracy on the confirmation half.
        has_feature: Whether the model is right often enough to ask where it keeps the feature.
        ability: What the model then does, as words before the feature's name.
        sufficient: The smallest sufficient set.
        necessary: The smallest necessary set.
        specific: A necessary set chosen to spare the other tasks.
        alternatives: Further sets that were confirmed as sufficient.
        subspace: The rank of the subspace that does it, or 0.
        spread: Over how many units its first direction is spread.
        tried_subspace: Whether any was tried: they lie within one layer.
        power: What the test on the confirmation half can show; `None` if nothing was tested.
    """

    feature: str
    place: str
    accuracy: float
    has_feature: bool = True
    ability: str = "agree in"
    sufficient: SetFacts = SetFacts()
    necessary: SetFacts = SetFacts()
    specific: SetFacts = SetFacts()
    alternatives: tuple[Units, ...] = ()
    subspace: int = 0
    spread: float = float("nan")
    tried_subspace: bool = True
    power: Power | None = None

    @classmethod
    def of(
        cls,
        feature: str,
        place: Place,
        confirmation: Sample,
        goals: Goals,
        selections: Selections,
        confirmed: Confirmations,
        subspace: SubspaceExchange,
        power: Power,
    ) -> "Facts":
        """Return the facts that the protocol's steps established."""
        limits = goals.limits(confirmation.units)

        chosen = selections.by_name()

        def facts(name: str, claim: str, limit: int) -> SetFacts:
            return SetFacts.of(claim, limit, chosen.get(name), confirmed.sets.get(name))

        return cls(
            feature,
            str(place),
            float(confirmation.accuracy(confirmation.clean).mean()),
            sufficient=facts("sufficient", "sufficient", limits.sufficient),
            necessary=facts("necessary", "necessary", limits.necessary),
            specific=facts("specific", "necessary", limits.necessary),
            alternatives=confirmed.alternatives,
            subspace=subspace.rank,
            spread=subspace.spread,
            tried_subspace=len(subspace.table) > 0,
            power=power,
        )

    @property
    def claimed(self) -> dict[str, Units]:
        """The sets that are claimed to be sufficient and to be necessary, by the claim."""
        sets = {"sufficient": self.sufficient.units, "necessary": self.necessary.units}
        return {claim: units for claim, units in sets.items() if units}

    @property
    def both(self) -> Units:
        """The set that is sufficient and necessary at once, the smaller one if both are."""
        if self.sufficient.does_both:
            return self.sufficient.units
        return self.necessary.units if self.necessary.does_both else Units()


def claim_of(facts: Facts) -> str:
    """Return `"both"`, `"each"`, `"sufficient"`, `"necessary"`, `"neither"` or `"absent"`.

    It is `"both"` if one set is sufficient and necessary. If there is a sufficient set and another
    one, that is only necessary, it is `"each"`. A model that doesn't have the feature has it
    `"absent"`.
    """
    if not facts.has_feature:
        return "absent"
    if facts.both:
        return "both"
    if facts.sufficient.units:
        return "each" if facts.necessary.units else "sufficient"
    return "necessary" if facts.necessary.units else "neither"
