"""Addresses of cameras and network streams: which there are, and what of them may be shown.

A password or a key may stand anywhere in an address: before the host, in the path, in the query. So
what is shown is what is known to be harmless: the protocol, the host, the port, and a path of words
that cameras use. Everything else is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

HIDDEN = "***"

PROTOCOLS = (
    "rtsp", "rtsps", "rtmp", "rtmps", "rtmpe", "rtmpt", "rtmpte", "rtmpts", "http", "https", "tcp",
    "tls", "udp", "udplite", "rtp", "srtp", "srt", "rist", "mms", "mmsh", "mmst", "unix",
)  # fmt: skip
"""Those by which FFmpeg receives live streams."""

HARMLESS = """
    stream streams streaming live livestream video videos audio media mediainput cam cams camera
    cameras ch channel channels main sub minor major h264 h265 h263 hevc avc mpeg mpeg4 mp4 mjpeg
    mjpg jpeg jpg mpg ts flv m3u8 hls index playlist master manifest sdp rtsp rtp rtmp onvif profile
    preview realmonitor monitor axis amp smp cgi bin nph image images img snapshot unicast multicast
    isapi custom track low medium high hd sd full default primary secondary first second third test
    demo play player feed view viewer webcam ipcam dvr nvr http https tv web api out output in input
    source src udp tcp mobile tunnel 2160p 1080p 720p 480p 360p
    door front back rear left right north south east west entrance entry exit gate garage garden
    yard kitchen hall hallway office room living lobby stairs street road parking driveway porch
    roof floor desk shop store warehouse corridor reception lab studio stage
"""
"""Words of cameras' paths, and places where cameras hang."""

MAX_DIGITS = 3
"""In a part of a path: the number of a channel has no more; a code or a key has."""

URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
MISTYPED = re.compile(rf"({'|'.join(PROTOCOLS)})(:/?|//)", re.IGNORECASE)
"""The beginning of an address whose ``://`` is not whole."""

USER = re.compile(r":.*@", re.DOTALL)
"""Of an address without its beginning."""

END_OF_HOST = re.compile(r"[/?#]")
HOST = re.compile(r"(\[[0-9a-f:.]+(%\w+)?\]|[\w.-]*)(:[0-9]{1,5})?", re.IGNORECASE)
"""Host and port; the host may be an IPv6 address in brackets, the port be left out."""

NUMERIC = re.compile(r"(\[.*\]|\d+(\.\d+){3})(:\d+)?")
"""A host that is certainly one: an address in numbers."""

QUERY = re.compile(r"[^?@]*\?[^=@]*=")
WORD = re.compile("|".join(sorted(HARMLESS.split(), key=len, reverse=True)), re.IGNORECASE)
BETWEEN_WORDS = re.compile(r"[-_.0-9]*")

NUMBER = re.compile(r"0|[1-9][0-9]*")
VIDEO_DEVICE = re.compile(r"/dev/video[0-9]+")


def is_live(source: str) -> bool:
    """Whether a source is meant as a camera or an address: by its text, or as a device."""
    if NUMBER.fullmatch(source) or VIDEO_DEVICE.fullmatch(source) or URL.match(source):
        return True
    try:
        return Path(source).is_char_device()
    except (OSError, ValueError):  # Such as a name that is too long.
        return False


def problem_of(address: str) -> str | None:
    """Why no live stream can come from an address; None if one can."""
    url = URL.match(address)
    if url is None and is_live(address):
        return None
    if url is None or url[1].lower() == "file":
        return (
            "expected the number of a camera (without zeros before it), its device, or an address "
            "such as rtsp://192.168.1.20/stream1; a file is given by its path, and by itself"
        )
    if url[1].lower() not in PROTOCOLS:
        return f"{url[1]} is not a protocol of live streams; those are {', '.join(PROTOCOLS)}"
    return None


def name_of(address: str) -> str:
    """A name for the camera or stream of an address, of what may be shown of it."""
    if NUMBER.fullmatch(address):
        return f"camera-{address}"
    shown = URL.sub("", without_secrets(address)).replace(HIDDEN, "")
    return re.sub(r"[^\w.-]+", "-", shown).strip("-.")[:60].rstrip("-.") or "stream"


def without_secrets(text: str) -> str:
    """A source, or a word of a command, as it may be shown.

    Of an address that is what is known to be harmless; other text is left as it is. A mistyped
    address counts as one.

    Example:
        without_secrets("rtsp://me:hush@cam/stream1?key=hush")  # "rtsp://***@cam/stream1?***"
    """
    if url := URL.search(text):
        before = text[: url.start()]
        option = before if re.fullmatch(r"[\w .=-]*", before) else HIDDEN
        return f"{option}{url[0]}{_shown(text[url.end() :])}"
    if mistyped := MISTYPED.match(text):
        return f"{mistyped[0]}{_shown(text[mistyped.end() :])}"
    return _shown(text) if USER.search(text) else text


def hide_addresses(text: str, addresses: Iterable[str]) -> str:
    """A text in which these addresses, and others that it may hold, have no secrets."""
    for address in sorted(filter(URL.match, addresses), key=len, reverse=True):
        text = text.replace(address, without_secrets(address))
    return re.sub(rf"{URL.pattern}[^\s'\"]*", lambda url: without_secrets(url[0]), text, flags=re.I)


def _shown(rest: str) -> str:
    """What follows the protocol, without secrets."""
    before, tail = _divided(rest)
    user, at, host = before.rpartition("@")
    if "@" in tail:  # Or in the password, with a slash, or the like, before it.
        last_user, last_at, after = rest.rpartition("@")
        last_host, last_tail = _divided(after)
        if not HOST.fullmatch(host) or NUMERIC.fullmatch(last_host):
            user, at, host, tail = last_user, last_at, last_host, last_tail
        elif not QUERY.match(tail) and not NUMERIC.fullmatch(host):
            return HIDDEN  # Either may be the host, and the other a secret.
    if not HOST.fullmatch(host):
        return HIDDEN
    return f"{HIDDEN if user else ''}{at}{host}{_tail_shown(tail)}"


def _divided(rest: str) -> tuple[str, str]:
    """User and host, and what follows them."""
    end = END_OF_HOST.search(rest)
    return (rest[: end.start()], rest[end.start() :]) if end else (rest, "")


def _tail_shown(tail: str) -> str:
    path, mark, _ = re.match(r"([^?#]*)([?#]?)(.*)", tail, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = path.split("/")
    harmless = list(takewhile(_is_harmless, parts))
    if len(harmless) < len(parts):
        return "/".join([*harmless, HIDDEN])
    return f"{path}{mark}{HIDDEN}" if mark else path


def _is_harmless(part: str) -> bool:
    rest = WORD.sub("", part)
    digits = sum(map(str.isdigit, rest))
    return len(part) <= 1 or (digits <= MAX_DIGITS and bool(BETWEEN_WORDS.fullmatch(rest)))
