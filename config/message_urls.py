"""What apprise makes of a URL in notify.urls: the service that takes messages there.

apprise logs what it is given, tokens as well.  So nothing of what it logs is written anywhere.
"""

import logging
from typing import TYPE_CHECKING

from config.secret import Secret

if TYPE_CHECKING:
    from apprise import NotifyBase

#: How long a connection, and then each answer, may take, in seconds; `cto` and `rto` in a URL go
#: before.  apprise's own 4 seconds would have a slow service get everything again and again.
CONNECT_S = 10.0
READ_S = 20.0


def service(url: Secret) -> "NotifyBase | None":
    """The service at this URL, for one message; None where apprise does not understand it.

    Nothing connects.  May raise ConfigurationError, where the secret cannot be read.
    """
    # Imported here: with all its services it takes half a second, and only workers need it.
    from apprise import Apprise, AppriseAsset, OverflowMode

    logging.getLogger("apprise").propagate = False
    asset = AppriseAsset(
        app_id="Leaver",
        app_desc="Leaver",
        app_url="",
        # No pictures of somebody else's server in our messages.
        image_url_mask="",
        image_url_logo="",
        # A redirected POST arrives as a GET, without the message.
        http_redirects=False,
        # Whoever sends waits by itself, and no thread of apprise outlives the worker.
        async_mode=False,
        service_timeout=0,
    )
    found = Apprise.instantiate(url.reveal(), asset=asset)
    if found is None:
        return None
    own = vars(found)
    found.socket_connect_timeout = own.get("socket_connect_timeout", CONNECT_S)
    found.socket_read_timeout = own.get("socket_read_timeout", READ_S)
    if found.overflow_mode is OverflowMode.UPSTREAM:
        # By default a text that is too long for a service is sent as it is, and refused.
        found.overflow_mode = OverflowMode.SPLIT
    return found
