"""scikit-learn estimators: multi-layer perceptrons for its pipelines, searches and scores.

>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> X_train, X_test, y_train, y_test = nn.data.train_test_split(*nn.data.iris(), rng=0)
>>> classifier = make_pipeline(StandardScaler(), nn.MLPClassifier((50,), random_state=0)).fit(X_train, y_train)
>>> classifier.score(X_test, y_test) > 0.8
True

scikit-learn is an optional dependency and slow to import. So `import nn` does not import this package; nn imports it
when nn.MLPClassifier or nn.MLPRegressor is first used.
"""

try:
    from nn.estimators.classifier import MLPClassifier
    from nn.estimators.regressor import MLPRegressor
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f"nn.MLPClassifier and nn.MLPRegressor are scikit-learn estimators, and {missing} is not installed. Install "
        "it: pip install scikit-learn. nn.MLP and nn.fit do not need it.",
        name=missing,
    ) from error

__all__ = ["MLPClassifier", "MLPRegressor"]
