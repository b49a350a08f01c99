"""The names that versions are called by, in MLflow and on `housing.models`."""

from typing import Final

CHALLENGER: Final = "challenger"  # the version registered last; on the topic: that is tried out
CHAMPION: Final = "champion"  # serves
PREVIOUS: Final = "previous"  # the way back
