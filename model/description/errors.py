"""What can be wrong with a bundle, or with what is asked of it."""


class ModelError(Exception):
    """Base of every error that this package raises on purpose: one line, fit to be shown."""


class SchemaError(ModelError):
    """A feature is defined wrongly."""


class BundleError(ModelError):
    """A bundle cannot be served as it is."""


class GoldenMismatch(BundleError):
    """The model does not score its golden rows as it did when it was published."""


class UnknownModel(ModelError):
    """No bundle answers to this name or version."""
