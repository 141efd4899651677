"""A token of SoftHSM's in a directory of its own, as a shop would set one up."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.parts import softhsm

PIN = "4711-0815"

# The token as someone sees it who knows nothing of us.
_LIST = """
import sys
import pkcs11
module, label, pin, kind = sys.argv[1:]
slots = pkcs11.lib(module).get_slots(token_present=True)
token = next(one for one in (slot.get_token() for slot in slots) if one.label == label)
wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass[kind]}
with token.open(user_pin=pin) as session:
    for found in session.get_objects(wanted):
        print(found[pkcs11.Attribute.LABEL])
"""


@dataclass(frozen=True)
class SoftHSM:
    """One initialised token. ``SOFTHSM2_CONF`` must name ``conf``, in children too."""

    conf: Path
    #: Where the token is; elsewhere, it is away.
    directory: Path
    module: Path
    label: str
    pin_file: Path

    @property
    def _environ(self) -> dict[str, str]:
        return os.environ | {"SOFTHSM2_CONF": str(self.conf)}

    @property
    def settings(self) -> dict[str, str]:
        """The variables of an installation that keeps keys in this token."""
        return {
            "PUNCHPROOF_PKCS11_MODULE": str(self.module),
            "PUNCHPROOF_PKCS11_TOKEN": self.label,
            "PUNCHPROOF_PKCS11_PIN_FILE": str(self.pin_file),
        }

    def initialise(self) -> None:
        """Make a token of this label; a second call makes a second one."""
        words = ["softhsm2-util", "--init-token", "--free", "--label", self.label]
        subprocess.run(
            [*words, "--so-pin", "87654321", "--pin", PIN],
            env=self._environ,
            check=True,
            capture_output=True,
        )

    def write_pin(self, pin: str) -> None:
        """Write a PIN into the file; the token keeps its own."""
        self.pin_file.write_text(f"{pin}\n")

    def labels(self, kind: str) -> list[str]:
        """Labels of the objects of a kind, such as ``PRIVATE_KEY``; another looks."""
        words = [str(self.module), self.label, PIN, kind]
        told = subprocess.run(
            [sys.executable, "-c", _LIST, *words],
            env=self._environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return told.stdout.split()


def make(home: Path) -> SoftHSM:
    """Make a token whose label no other has.

    Args:
        home: an empty directory.
    """
    module = softhsm.find()
    assert module, "SoftHSM is missing; scripts/test installs it"
    directory, conf, pin_file = home / "tokens", home / "softhsm2.conf", home / "pin"
    directory.mkdir(parents=True)
    conf.write_text(
        f"directories.tokendir = {directory}\n"
        "objectstore.backend = file\n"
        # It speaks to standard error too, of what the tests provoke.
        "log.level = ERROR\n"
    )
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{PIN}\n")
    made = SoftHSM(conf, directory, module, f"shop {secrets.token_hex(4)}", pin_file)
    made.initialise()
    return made
