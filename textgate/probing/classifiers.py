"""What a probe is made of: a linear reader, trained on one part and tried on the other."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from textgate.probing._threads import one_thread
from textgate.probing.folds import Split


def held_out(x: np.ndarray, y: np.ndarray, splits: Sequence[Split], strength: float) -> np.ndarray:
    """Return what is predicted for each row by the classifier that wasn't trained on it.

    Args:
        x: Features, of shape `(n, features)`.
        y: Classes as numbers, of shape `(n,)`.
        splits: The folds.
        strength: Inverse strength of the penalty.
    """
    predicted = np.empty(len(y), y.dtype)
    with one_thread():
        for train, test in splits:
            predicted[test] = classifier(x[train], y[train], strength).predict(x[test])
    return predicted


class Classifier(Protocol):
    """What is trained and predicts, as scikit-learn's classifiers do."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the class of each row of features `(n, features)`."""


def classifier(x: np.ndarray, y: np.ndarray, strength: float) -> Classifier:
    """Return a logistic regression on standardised features, trained.

    Where `y` has one class only, as a control task's may by chance, it always predicts that class.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if (y == y[0]).all():
        trained: Classifier = DummyClassifier().fit(x, y)
    else:
        regression = LogisticRegression(C=strength, max_iter=5000)
        trained = make_pipeline(StandardScaler(), regression).fit(x, y)
    return trained


def held_out_numbers(
    x: np.ndarray, y: np.ndarray, splits: Sequence[Split], strength: float
) -> np.ndarray:
    """Return what ridge regressions predict for each row that they weren't trained on.

    Args:
        x: Features, of shape `(n, features)`; they are standardised, as for a classifier.
        y: Numbers, of shape `(n, targets)`; each target is predicted by itself.
        splits: The folds.
        strength: Inverse strength of the penalty.
    """
    predicted = np.empty(y.shape)
    with one_thread():
        for train, test in splits:
            mean, spread = x[train].mean(axis=0), x[train].std(axis=0)
            scale = np.where(spread > 0, spread, 1.0)
            features, level = (x[train] - mean) / scale, y[train].mean(axis=0)
            gram = features.T @ features + np.eye(x.shape[1]) / strength
            weights = np.linalg.solve(gram, features.T @ (y[train] - level))
            predicted[test] = (x[test] - mean) / scale @ weights + level
    return predicted
