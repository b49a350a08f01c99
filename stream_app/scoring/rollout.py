"""Which arm a listing is in: champion or challenger. By its id alone, for ever.

Not `hash()`: that is salted anew in every process, and a home would change arm at each
restart. A larger share keeps the listings of a smaller one.
"""

import zlib

from stream_app.contract.predictions import Arm

# Parts this use of the checksum from any other. Changed, all listings are dealt anew.
_SALT = b"arm:"
_PLACES = 2**32


def arm_of(listing_id: str, share: float) -> Arm:
    """Deal a listing to an arm.

    Parameters
    ----------
    share : of all listings that the challenger is dealt, 0 to 1

    Examples
    --------
    >>> arm_of("kc-7129300520-1", 0.0), arm_of("kc-7129300520-1", 1.0)
    (<Arm.CHAMPION: 'champion'>, <Arm.CHALLENGER: 'challenger'>)
    """
    place = zlib.crc32(_SALT + listing_id.encode("utf-8", "surrogatepass"))
    return Arm.CHALLENGER if place < share * _PLACES else Arm.CHAMPION
