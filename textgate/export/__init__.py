"""SavedModels: predictions, gates and interventions for anyone who has TensorFlow.

`saved_model` writes a model to a directory that plain TensorFlow loads, without textgate, Keras or
the code of the model: text goes in, tensors come out. A language model gets the endpoints

    serving_default(text)    the likeliest next words with their probabilities
    serve(text, k)           the same, as many as are asked for
    score(text)              the log-probability of each token and of the sentence
    pronouns(text)           the probabilities of the pronouns, by class and by form, as next word
    gates(text)              every signal of every recurrent layer, named as in a trace
    edit(text, layer, signal, units, value, steps)
                             `pronouns` and the likeliest next words while units of one or
                             several signals are held at values
    describe()               what is in it and how to call it

Any other Keras model with recurrent layers gets `serving_default` (its outputs), `gates` and
`describe` on its own inputs. What a caller gets wrong, the graph itself finds and reports as
TensorFlow's `InvalidArgumentError` with a message of ours (`textgate.export._demands`).

`restore` makes the language model again that a SavedModel was made of, and `card` writes down what
a shipped model is and isn't for.
"""

from textgate.export._card import card
from textgate.export._saved_model import saved_model
from textgate.models.exported import restore

__all__ = ["card", "restore", "saved_model"]
