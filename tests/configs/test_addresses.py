"""Of an address nothing is shown that may be a secret, and its host nearly always."""

import pytest

from configs.addresses import hide_addresses, name_of, without_secrets
from configs.cameras import camera_of


@pytest.mark.parametrize(
    ("address", "shown", "name"),
    [
        ("rtsp://admin:a@bHUSH@cam/x", "rtsp://***@cam/x", "cam-x"),
        ("rtsp://admin:p/HUSH@cam:554/stream1", "rtsp://***@cam:554/stream1", "cam-554-stream1"),
        ("rtsp://admin:p HUSH@cam", "rtsp://***@cam", "cam"),
        ("rtsp://admin:p?HUSH@cam", "rtsp://***@cam", "cam"),
        ("rtsp://admin:p#HUSH@cam", "rtsp://***@cam", "cam"),
        ("rtsp://me@mail.org:1@H/USH@10.0.0.5:80/x", "rtsp://***@10.0.0.5:80/x", "10.0.0.5-80-x"),
        ("rtsp://HUSH@cam", "rtsp://***@cam", "cam"),
        ("rtsp://admin:HUSH", "rtsp://***", "stream"),
        ("rtsps://cam:7441/HUSH", "rtsps://cam:7441/***", "cam-7441"),
        ("rtmp://[::1]:1935/live/HUSH/main", "rtmp://[::1]:1935/live/***", "1-1935-live"),
        ("rtsp://cam/user=admin_password=HUSH_channel=1_stream=0.sdp", "rtsp://cam/***", "cam"),
        ("http://cam/video.mjpg;pwd=HUSH", "http://cam/***", "cam"),
        ("http://cam/1234567", "http://cam/***", "cam"),
        ("http://cam/hls/@HUSH/live.m3u8", "http://***", "stream"),
        ("http://10.0.0.5/live/x@HUSH", "http://10.0.0.5/live/***", "10.0.0.5-live"),
        ("HTTP://cam/live.m3u8?user=me@HUSH", "HTTP://cam/live.m3u8?***", "cam-live.m3u8"),
        ("srt://cam:9000?passphrase=HUSH", "srt://cam:9000?***", "cam-9000"),
        ("rtsp://cam/Streaming/Channels/101", ..., "cam-Streaming-Channels-101"),
        ("rtsp://cam/h264Preview_01_main", ..., "cam-h264Preview_01_main"),
        ("http://cam/axis-media/media.amp", ..., "cam-axis-media-media.amp"),
        ("udp://@:9000", ..., "9000"),
        ("0", ..., "camera-0"),
        ("/dev/video0", ..., "dev-video0"),
    ],
)
def test_what_is_shown_of_an_address_and_the_name_that_is_made_of_it(
    address: str, shown: object, name: str
) -> None:
    assert without_secrets(address) == (address if shown is ... else shown)
    assert name_of(address) == name
    assert "HUSH" not in repr(camera_of(address))


@pytest.mark.parametrize(
    "parameter", ["loginpas", "psw", "p", "sig", "sid", "pwd", "token", "X-Amz-Signature"]
)
def test_no_parameter_is_shown_whatever_its_name(parameter: str) -> None:
    for mark in "?&;#,":
        address = f"http://cam/video{mark}{parameter}=HUSH&x=1"
        assert "HUSH" not in without_secrets(address) + name_of(address)


def test_other_words_of_a_command_are_left_as_they_are() -> None:
    words = ["clip.mp4", "me@home.mp4", "--set=detect.width_px=960", "a:b.mp4", "-o", "C:\\x.mp4"]
    assert [without_secrets(word) for word in words] == words


def test_addresses_within_a_message_are_hidden() -> None:
    known = "rtsp://me:hu sh@cam/x"
    said = f"[Errno 111] refused: '{known}' (http://me:hush@cam/live?k=hush)"
    hidden = "[Errno 111] refused: 'rtsp://***@cam/x' (http://***@cam/live?***"
    assert hide_addresses(said, [known]) == hidden
