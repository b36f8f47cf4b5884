"""A whole live engine in one YAML file, checked before anything is built.

Bottom up: `secrets` (what is never shown), `substituting` (``${NAME}``), `binding`
(YAML to typed values, with line and column), `model` (what may be configured),
`reading` (a file).
"""

from holdfast.configuration.model import Config
from holdfast.configuration.reading import read_config

__all__ = ["Config", "read_config"]
