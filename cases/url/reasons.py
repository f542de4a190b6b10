"""Why an address was rejected or put aside, in words for the person who sent it."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Rejected: the line is not an address that can be reported.
REJECTED: Final[dict[str, str | Promise]] = {
    "empty": _("There is no address on this line."),
    "not_a_url": _("This is not a web address: it must begin with http:// or https://."),
    "too_long": _("The address is longer than 8,192 characters."),
    "control_character": _(
        "There is a control character (such as a tab or a line break) inside the address."
    ),
    "bad_text": _("The address holds characters that cannot be written down."),
    "scheme_ftp": _("This is an FTP address; only http and https can be reported here."),
    "scheme_file": _("This is a path on somebody's own computer, not a web address."),
    "scheme_data": _("This is material itself (data:), not an address. Never send material."),
    "scheme_javascript": _("This is a script, not a web address."),
    "scheme_magnet": _("This is a magnet link (peer to peer); it has no host that can remove it."),
    "scheme_mailto": _("This is an e-mail address, not a web address."),
    "scheme_blob": _("This address exists only inside one browser (blob:); report the page it was on."),
    "scheme_other": _("Only http and https addresses can be reported here."),
    "no_host": _("There is no host name in this address."),
    "bad_port": _("The port number of this address cannot exist."),
    "bad_address": _("The host of this address is not a valid IP address."),
    "bad_host": _("The host name of this address is not valid."),
    "host_too_long": _("The host name is too long: 63 characters for a part, 253 in all."),
    "invisible_in_host": _("There are invisible or direction-changing characters in the host name."),
}

#: Put aside for a person: programs read it in different ways, or nobody outside can reach the host.
QUARANTINED: Final[dict[str, str | Promise]] = {
    "no_scheme": _("It does not say http:// or https://: a person must look whether this host is meant."),
    "userinfo": _("There is misleading text before an @: programs differ on which host is meant."),
    "backslash": _("There is a backslash in it: programs differ on which host is meant."),
    "odd_slashes": _("The slashes after http: are not two: programs differ on which host is meant."),
    "encoded_host": _("The host name is written with %-codes: programs differ on which host is meant."),
    "idn_ambiguous": _("Programs differ on which host this international name stands for."),
    "mixed_scripts": _("The host name mixes alphabets, as imitations do."),
    "non_public_address": _("The host is an IP address that is not public."),
    "single_label": _("The host name has one part only: it exists on a local network, if at all."),
    "local_name": _("The host name exists on a local network or one computer only."),
    "unknown_suffix": _("The host name ends in something that is not a known top-level domain."),
    "public_suffix": _("The host name is a suffix under which others register their names."),
    "onion": _("This is an address in the Tor network: no hosting provider can be found from it."),
}

REASONS: Final[dict[str, str | Promise]] = REJECTED | QUARANTINED
