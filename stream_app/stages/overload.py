"""What is left out when more comes than can be answered in full, and when no longer.

Never a price, a lesson or the promise: reasons first, which are most of what a model is
asked for, then what a challenger says unheard. The level is an argument of the scorer's step
and written to `housing.activations` like the models, so a replay leaves out the same.

Not here: how the lag is known, and of which partitions (shell/load.py).
"""

from stream_app.contract.models import Overload

# Shadow scoring is what a challenger is judged by: given up later than reasons.
SHADOW_LAGS = 2
# A level ends with an eighth of the lag that it begins with: what is saved by it would
# otherwise bring the lag below the limit, and with the level gone, above it again.
ENDS_AT = 1 / 8


def level(lag_events: int, before: Overload, limit_events: int) -> Overload:
    """What to leave out.

    Parameters
    ----------
    lag_events : how many events wait
    before : what is left out now
    limit_events : lag from which on reasons are left out; `SHADOW_LAGS` times as much: shadow, too

    Examples
    --------
    >>> level(20_000, Overload.NONE, 20_000), level(20_000, Overload.SHADOW, 20_000)
    (<Overload.REASONS: 'reasons'>, <Overload.SHADOW: 'shadow'>)
    >>> level(2_499, Overload.REASONS, 20_000)
    <Overload.NONE: 'none'>
    """
    if _holds(lag_events, before is Overload.SHADOW, SHADOW_LAGS * limit_events):
        return Overload.SHADOW
    if _holds(lag_events, before is not Overload.NONE, limit_events):
        return Overload.REASONS
    return Overload.NONE


def _holds(lag_events: int, held: bool, limit_events: int) -> bool:
    """Whether a level begins, or goes on."""
    return lag_events >= (limit_events * ENDS_AT if held else limit_events)
