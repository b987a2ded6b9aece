"""Errors of bundles and models."""


class ModelError(Exception):
    """Base class of the errors that `model` raises; each message is one line."""


class SchemaError(ModelError):
    """The definition of a feature is invalid."""


class BundleError(ModelError):
    """A bundle is incomplete, damaged or inconsistent, and cannot be served."""


class GoldenMismatch(BundleError):
    """The model scores its golden rows differently than when it was published."""


class UnknownModel(ModelError):
    """No published bundle has this name or version."""


class LifecycleError(ModelError):
    """An alias, or a change of what is offered, is not possible."""
