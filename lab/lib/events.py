# SPDX-License-Identifier: ISC
"""The one form of the lab's log lines: "TIME KIND key=value key=value ...", written whole, one write a line."""
import os
import threading
import time


class Log:
    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.lock = threading.Lock()

    def write(self, event, /, **fields):
        words = ["%s=%s" % (key, self._plain(value)) for key, value in fields.items()]
        line = "%.3f %s %s\n" % (time.time(), event, " ".join(words))
        with self.lock:
            os.write(self.fd, line.encode())

    @staticmethod
    def _plain(value):
        """A value that stays one word: what is not printable or is a blank becomes \\xHH."""
        text = "-" if value is None or value == "" else str(value)
        octets = text.encode("utf-8", "surrogateescape")
        return "".join(chr(b) if 0x21 <= b <= 0x7E else "\\x%02x" % b for b in octets)
