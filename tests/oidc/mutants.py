"""Near misses of an address, and of an opaque value: none may pass for the real one (security-bar.md S-1, S-24)."""

from __future__ import annotations

from urllib.parse import urlsplit


def of_address(uri: str) -> tuple[str, ...]:
    """Return more than sixty texts that some parser, somewhere, took for *uri*."""
    parts = urlsplit(uri)
    scheme, netloc, host, path = parts.scheme, parts.netloc, parts.hostname or "", parts.path
    tail = uri.removeprefix(f"{scheme}://{netloc}")
    base, joint = f"{scheme}://{netloc}", "&" if parts.query else "?"
    port = f":{parts.port}" if parts.port else ""
    endings = (
        "/",
        "//",
        "/.",
        "/..",
        "%2f",
        "%00",
        "%20",
        "%0d%0a",
        ".",
        ";",
        ";x",
        "\\",
        "\t",
        "\n",
        "\r\nX: y",
        "\x00",
        "é",
    )
    found = [
        *(uri + ending for ending in endings),
        *(before + uri for before in (" ", "\t", "\n", "//", "\\\\", "url=", "\ufeff")),
        *(uri + joint + more for more in ("", "x=1", "redirect_uri=https://evil.example/", "%")),
        *(uri + more for more in ("#", "#x", "#@evil.example", "," + uri, " " + uri, "*")),
        uri.upper(),
        base + tail.upper(),
        base + path.replace("/", "//", 1) + tail.removeprefix(path),
        *(base + before + tail for before in ("/.", "/x/..", "/x%2f..", "/%2e", "/x\\..", "/;", "/%252e%252e")),
        base + "\\" + tail.lstrip("/"),
        base + "/%" + f"{ord(tail[1]):x}" + tail[2:] if len(tail) > 1 else base + "/%2f",
        base + tail.rsplit("/", 1)[0],
        base + "/*",
        base,
        *(
            f"{other}://{netloc}{tail}"
            for other in ("ftp", "javascript", "data", "HTTP", "https" if scheme == "http" else "http")
        ),
        f"//{netloc}{tail}",
        tail,
        f"{scheme}:{netloc}{tail}",
        f"{scheme}:/{netloc}{tail}",
        f"{scheme}:///{netloc}{tail}",
        f"{scheme}:\\\\{netloc}{tail}",
        *(f"{scheme}://{evil}{tail}" for evil in _hosts(host, port, netloc)),
        f"{scheme}://evil.example/?{uri}",
        f"{scheme}://evil.example#{uri}",
        f"javascript:alert(1)//{netloc}{tail}",
        "data:text/html,x",
        "null",
        "x" * 65_536,
        uri + "x" * 65_536,
    ]
    unique = tuple(dict.fromkeys(each for each in found if each != uri))
    assert len(unique) >= 60
    return unique


def _hosts(host: str, port: str, netloc: str) -> tuple[str, ...]:
    """Return hosts and ports that look like the real ones."""
    return (
        f"{netloc}@evil.example",
        f"evil.example@{netloc}",
        f"{netloc}:x@evil.example",
        f"evil.example\\@{netloc}",
        f"{netloc}\\@evil.example",
        f"{host}.evil.example{port}",
        f"evil-{host}{port}",
        f"{host}.{port}",
        f"{host}%2eevil.example{port}",
        f"{host}%00.evil.example{port}",
        f"{host}:1",
        f"{host}:80",
        f"{host}:443",
        f"{host}:0{port[1:]}",
        f"{host}:",
        host if port else f"{host}:8443",
        f"localhost{port}",
        f"127.1{port}",
        f"2130706433{port}",
        f"0x7f000001{port}",
        f"[::1]{port}",
        f"[::ffff:127.0.0.1]{port}",
        f"[::ffff:7f00:1]{port}",
        f"xn--{host}-9za{port}",
        f"{host.replace('.', '。')}{port}",
        f"evil.example{port}",
    )


def of_opaque(value: str) -> tuple[str, ...]:
    """Return prefixes, suffixes, case flips and paddings of a secret."""
    found = [
        *(value[:length] for length in (1, len(value) // 2, len(value) - 1)),
        *(value[start:] for start in (1, len(value) // 2)),
        *(value + more for more in ("A", "=", "==", "%00", ".", "\u200b", value)),
        *(before + value for before in ("A", "0", "-")),
        *(value[:place] + _other(value[place]) + value[place + 1 :] for place in range(0, len(value) - 1, 7)),
        value.swapcase(),
        value.upper() if value != value.upper() else value.lower(),
        value[::-1],
    ]
    return tuple(dict.fromkeys(each for each in found if each != value))


def _other(sign: str) -> str:
    return "B" if sign != "B" else "C"
