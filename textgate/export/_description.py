"""What `describe()` answers: what a SavedModel holds and how to call it, for whoever gets it."""

import textwrap
from typing import Any

import tensorflow as tf

from textgate import __version__
from textgate.export._demands import CALL_BYTES, TEXT_BYTES
from textgate.export._signals import names_of
from textgate.tracing import Site, fingerprint

_LANGUAGE = """\
serving_default(text)
  the {top} likeliest next words: words, probabilities (batch, {top})
serve(text, k)
  the same, k of them
score(text)
  token_logprobs (batch, time): log-probability of each token given those before it, natural
  logarithm, 0 at the first token and padding; sentence_logprobs (batch,): their sum; tokens,
  lengths
pronouns(text)
  the probability that a pronoun is the next word: class_probabilities of classes,
  form_probabilities of forms, which belong to form_classes
{gates}describe()
  description: this text

text is a vector of strings in UTF-8, of any number and length. Tokens are
{tokens}.
{begin}. After a text's end there is padding: 0 and ''.
unknown (batch,) says how many words of a text the model doesn't know;
{unknown}.
Of a text of unknown words only nothing is said: its numbers are NaN, its likeliest words ''.
Errors: a text of more than {text_bytes} bytes, or texts of more than {call_bytes} bytes in a call;
text that is not UTF-8; no text but such of unknown words only; k, a layer, a signal, a unit or
steps that don't exist."""

_TOKENS = {
    "words": "words and marks of punctuation, clitics apart",
    "whitespace": "what stands between white space: give the text as the model's corpus has it",
    "characters": "characters",
}

_GATES = """\
gates(text)
  every signal of every recurrent layer, (batch, time, units), called LAYER/SIGNAL; tokens, lengths
edit(text, layer, signal, units, value, steps)
  pronouns, and words and probabilities of the likeliest next words, while a signal of a layer is
  held at a value: units, int32 (number,); value, float32; steps, int32 [begin, end), where the
  first token is step 0, or empty for all steps. Several at once: as many of layer, signal and
  value, a row of units for each (filled up with -1), and one pair of steps for all or one for each
"""

_OTHER = """\
serving_default({inputs})
  the model's outputs
gates({inputs})
  every signal of every recurrent layer, (batch, time, units), called LAYER/SIGNAL (for a layer
  that is called several times LAYER/call_0/SIGNAL, ...), in the time order of the inputs and 0 at
  masked steps; LAYER/mask (batch, time) where the layer has a mask
describe()
  description: this text"""

_DERIVED = (
    "retention is the share of the old state that is kept, writing that of the candidate that is "
    "written: the same for every kind of cell."
)

_PYTHON = """\
In Python, with nothing but TensorFlow:
  model = tf.saved_model.load(PATH)
  model.signatures["{name}"]({example})"""


def of_language_model(endpoints: Any, top: int) -> str:
    """Return the description of a language model's endpoints."""
    lm, words = endpoints.lm, endpoints.words
    calls = _LANGUAGE.format(
        top=top,
        text_bytes=TEXT_BYTES,
        call_bytes=CALL_BYTES,
        gates=_GATES if endpoints.sites else "",
        begin=(
            f"They begin with {words.begin}, which lengths count"
            if words.begin
            else "Nothing is read before the first, which is given"
        ),
        tokens=_TOKENS.get(lm.tokenizer.kind, "those of the model's tokenizer"),
        unknown=(
            f"it reads {words.unknown} for them"
            if words.unknown
            else "there is no token for them, so they are an error"
        ),
    )
    by_class = {
        name: " ".join(form for form, of in endpoints.forms if of == name)
        for name in endpoints.classes
    }
    pronouns = "\n".join(f"  {name}: {forms}" for name, forms in by_class.items())
    return "\n\n".join(
        [
            f"{_title(lm)}: a language model over {endpoints.vocabulary} words",
            _layers(endpoints.sites),
            f"Pronouns that it knows:\n{pronouns or '  none'}",
            calls,
            _PYTHON.format(name="pronouns", example='text=tf.constant(["She came out"])'),
        ]
    )


def of_model(endpoints: Any) -> str:
    """Return the description of any other model's endpoints."""
    inputs = "\n".join(
        f"  {spec.name}: {spec.dtype.name} {_shape(spec.shape)}" for spec in endpoints.specs
    )
    names = [spec.name for spec in endpoints.specs]
    return "\n\n".join(
        [
            f"{_title(endpoints.model)}: a Keras model with recurrent layers",
            _layers(endpoints.sites),
            f"Inputs:\n{inputs}",
            _OTHER.format(inputs=", ".join(names)),
            _PYTHON.format(name="gates", example=", ".join(f"{name}=..." for name in names)),
        ]
    )


def _title(model: Any) -> str:
    return f"{model.name} ({fingerprint(model)}), exported by textgate {__version__}"


def _layers(sites: list[Site]) -> str:
    if not sites:
        return "It has no recurrent layers, and so no gates."
    lines = ["Recurrent layers and their signals:"]
    for site in sites:
        lines.append(f"  {site.path}: {site.spec.cell.kind}, {site.spec.units} units")
        lines.append(_wrapped(", ".join(names_of(site)), "    "))
    for convention in dict.fromkeys(site.spec.cell.convention for site in sites):
        lines.append(_wrapped(convention, "  "))
    lines.append(_wrapped(_DERIVED, "  "))
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(text, 96, initial_indent=indent, subsequent_indent=indent)


def _shape(shape: tf.TensorShape) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
