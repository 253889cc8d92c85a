"""What an address is: a host and a path.

Of an address, the scheme, a user's name, port, query and fragment are dropped, and so are dots that end the host and
slashes that end the path. Hosts are compared in lower case, paths as they are.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def tidy(addresses: pa.Array) -> pa.Array:
    """Addresses without scheme, user, query and fragment, the host in lower case; the port stays.

    >>> tidy(pa.array(["HTTPS://me@Shop.Example:443/Phones/?id=1", "a.example"])).to_pylist()
    ['shop.example:443/Phones/', 'a.example']
    """
    bare = pc.replace_substring_regex(addresses, r"^[A-Za-z][A-Za-z0-9+.\-]*://", "")
    bare = pc.replace_substring_regex(bare, r"(?s)[?#].*$", "")
    bare = pc.replace_substring_regex(bare, r"^[^/@]*@", "")
    host = pc.ascii_lower(pc.replace_substring_regex(bare, r"(?s)/.*$", ""))
    return pc.binary_join_element_wise(host, pc.replace_substring_regex(bare, r"^[^/]*", ""), "")


def host_and_path(tidied: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Host and path of tidied addresses; `loaders.urls.match` does the same for many.

    >>> host, path = host_and_path(pa.array(["shop.example.:443/Phones/"]))
    >>> host.to_pylist(), path.to_pylist()
    (['shop.example'], ['/Phones'])
    """
    host = pc.replace_substring_regex(tidied, r"(?s)/.*$", "")
    host = pc.replace_substring_regex(pc.replace_substring_regex(host, r":[0-9]*$", ""), r"\.+$", "")
    path = pc.replace_substring_regex(tidied, r"^[^/]*", "")
    return host, pc.replace_substring_regex(path, r"/+$", "")
