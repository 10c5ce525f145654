"""Which units hold a feature: the search for them, and the protocol that confirms it.

    finding = tg.find_units(lm, feature="gender")
    print(finding.summary())

**The question.** A prefix ("The actress lost") decides between two words (*her*, *his*). Some
units' values carry that decision from the antecedent to the pronoun. A probe shows what can be read
from a unit. Here units are ranked by what *intervening* on them does, and what is claimed of them
is claimed of interventions on sentences that had no part in choosing them.

**Two claims, told apart.** A set is *sufficient* if exchanging its values for those of the
counterpart ("The actor lost") flips the answer, in both directions. It is *necessary* if the model
falls near chance without it, in whichever of three ways it is taken out. Where a feature is stored
twice, half of it may suffice while nothing small is necessary. So both sets are looked for, the
complement is tested as well, and further disjoint sets are listed.

**A statistician's reading.**

*What is sampled.* Items are made of templates, lexemes and verbs, and the claim is about others
than these: so templates and lexemes are the units of resampling, not items. Intervals come from the
pigeonhole bootstrap over both. The model is one model; a claim about LSTMs needs several seeds
(`find_units_over_runs`), and those are another level of sampling.

*What is exchangeable under the null.* That an intervention does nothing on average means that a
cluster's effect is as likely as its opposite: signs of clusters are flipped, and flips of templates
and of lexemes are added up, which errs towards finding nothing (`textgate.evaluation.inference`).
The test over all units takes the largest statistic (max-T). A set that was fixed on the discovery
half is one test on the other half, and needs no correction for the thousands of sets that were
looked through; the two claims share the 5 % between them. Goals alone would not do: under the null
an ablation that helps half of the clusters as much as it harms the others leaves an accuracy of one
half, which is what a necessary unit leaves.

*Where selection could leak.* (1) By items: the halves have no template, lexeme or verb in common;
an item with parts in both is left out. The division looks at how sentences are built and never at
what the model does. (2) By choices: layer, candidates, sets, their sizes, the direction and the
reference values of ablations all come from the discovery half. Nothing is tuned on the other; a set
that fails there is reported as failed, and no second one is tried. (Each of the two sets is tested
for both claims. A sufficient set that is confirmed as necessary, too, is the necessary one, if the
other has more units; so necessity has two tests.) (3) By the model: its training
sentences are other sentences, made of the same words; "held out" means held out from the choice of
units. (4) Pronouns, determiners, and the nouns of other referents do occur in both halves.

*What the controls are for.* Sets of other units, as many, at random: that any so many units would
do. Sets matched in activation norm: that any units as active would do. The same model with fresh
weights: that the architecture or the pairs would do. Another kind of agreement and ordinary
sentences: that the model is just broken. Directions apart: that the model has only come to say the
same word always. `lost` in the tables adds the directions up, and so is blind to such a shift.

*What a test can show.* With few clusters no effect is clear enough: signs of four clusters are all
positive by chance in one draw of 16. So the verdict says how many there were, and how many it
takes.

*Which units carry it.* A set is a claim about its units together. One that does nothing by itself
on the confirmation half, and isn't missed in its set there, is no `carrier`.

*What is not shown.* Units of several layers or signals at once are not tried, and forward selection
need not find the smallest set there is, only a small one.

Names are imported when they are first used; `__init__.pyi` lists them.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
