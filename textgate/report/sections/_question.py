"""The opening: the question, and how it is asked."""

from textgate.datasets import is_generated
from textgate.report._blocks import Section, Text
from textgate.report._findings import Findings
from textgate.report._words import listed


def section(findings: Findings) -> Section:
    """Return the section."""
    many = len(findings.models) > 1
    models = listed(_with_article(model.cell) for model in findings.models)
    return Section(
        "The question",
        (
            Text(
                "*She came out and played with … dog.* Any reader of English fills the gap with "
                "*her*, because of a word six words back. A recurrent network reads one word at a "
                "time and keeps nothing but a vector of numbers, its state. If it fills the gap as "
                "we do, something in that vector has to carry *she* over *came out and played "
                "with*, and gates have to let it in, keep it and let it out.",
                "lead",
            ),
            Text(
                f"This page takes {models}, trained from nothing on {_data(findings)}, and asks "
                "which of the units carry the gender, how one can know, and what the gates do "
                f"about it. Everything on it is about {'these models' if many else 'this model'}."
                f"{_models_of_text(findings)}"
            ),
        ),
    )


def _with_article(cell: str) -> str:
    return f"{'an' if cell[:1] in 'LAEIO' else 'a'} {cell}"


def _data(findings: Findings) -> str:
    sources = [model.config.get("data", "") for model in findings.models]
    generated = [is_generated(source) for source in sources]
    if all(generated):
        return "sentences generated for the purpose"
    if any(generated) or not all(sources):
        return "text"
    return "running English text" if findings.models[0].config.get("running") else "English text"


def _models_of_text(findings: Findings) -> str:
    """Say how a model of text is asked, since text has no minimal pairs."""
    models = [model for model in findings.models if model.on_text]
    if not models:
        return ""
    contexts = (
        "How well it agrees is asked on contexts of real text whose next word is a pronoun of "
        "known gender. "
        if any(model.rule for model in models)
        else ""
    )
    return (
        f" {contexts}Which units do it, and what the gates do, is asked with sentences generated "
        "for the purpose: each has a twin, the same words about somebody of the other gender, "
        "which text hasn’t. "
        f"{'The model was' if len(models) == 1 else 'The models were'} not trained on these."
    )
