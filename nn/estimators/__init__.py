"""scikit-learn estimators: multi-layer perceptrons for its pipelines, searches and scores.

>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> classifier = make_pipeline(StandardScaler(), nn.MLPClassifier((50,), random_state=0)).fit(X, y)
>>> classifier.score(X_test, y_test)

scikit-learn is an extra and slow to import: nn imports this package when one of its names is first asked for.
"""

try:
    from nn.estimators.classifier import MLPClassifier
    from nn.estimators.regressor import MLPRegressor
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f"nn.MLPClassifier and nn.MLPRegressor are scikit-learn estimators, and {missing} is not installed. Install "
        "it: pip install scikit-learn. nn.MLP and nn.fit do without.",
        name=missing,
    ) from error

__all__ = ["MLPClassifier", "MLPRegressor"]
