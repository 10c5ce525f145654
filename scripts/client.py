"""Asks a served model, with nothing but TensorFlow; the README shows these lines."""

import tensorflow as tf

model = tf.saved_model.load("saved_models/lstm")
print(model.describe()["description"].numpy().decode())
text = tf.constant(["She came out and played with", "He fed"])
found = model.pronouns(text)
print(found["classes"][0].numpy(), found["class_probabilities"].numpy().round(2))
gates = model.gates(text)
print(gates["tokens"].numpy(), gates["lstm/forget_gate"].shape)  # (texts, words, units)
edited = model.edit(text, layer="lstm", signal="cell_state", units=[8, 35], value=0.0, steps=[0, 9])
print(edited["class_probabilities"].numpy().round(2))
