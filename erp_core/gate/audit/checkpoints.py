"""Signed checkpoints and the folder outside the database where they are kept with the keys.

A checkpoint says: this log, so many entries, this tree head, sealed then. Its signature is Ed25519 over these four
lines. The log's id is drawn at the first seal, so that no checkpoint passes for one of another company.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from os import SEEK_END
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from sqlalchemy import Row

from erp_core.storage.types import canonical_json, utc_text


class SigningKeyMissing(RuntimeError):
    """The log was signed with a key that is not here any more."""


@dataclass(frozen=True, slots=True, order=True)
class Checkpoint:
    """A signed tree head. `root` and `signature` are hexadecimal."""

    size: int
    root: str
    log: UUID
    sealed_at: str
    signature: str

    @classmethod
    def signed(cls, key: Ed25519PrivateKey, log: UUID, size: int, root: str, sealed_at: datetime) -> Self:
        """A new checkpoint under the company's key."""
        at = f"{utc_text(sealed_at).replace(' ', 'T')}Z"
        return cls(size, root, log, at, key.sign(_signed(log, size, root, at)).hex())

    @classmethod
    def of(cls, value: Any) -> Self:
        """The checkpoint that a JSON object spells. Raises `ValueError` when it spells none."""
        try:
            given = (value["size"], value["root"], UUID(value["log"]), value["sealed_at"], value["signature"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError("this is no checkpoint of an audit log") from error
        if not isinstance(given[0], int) or not all(isinstance(given[i], str) for i in (1, 3, 4)):
            raise ValueError("this is no checkpoint of an audit log")
        return cls(*given)

    def as_json(self) -> dict[str, Any]:
        """The checkpoint as a JSON object."""
        return {
            "log": str(self.log),
            "size": self.size,
            "root": self.root,
            "sealed_at": self.sealed_at,
            "signature": self.signature,
        }

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether the signature is this key's over exactly this checkpoint."""
        try:
            key.verify(bytes.fromhex(self.signature), _signed(self.log, self.size, self.root, self.sealed_at))
        except (InvalidSignature, ValueError):
            return False
        return True


def _signed(log: UUID, size: int, root: str, sealed_at: str) -> bytes:
    return f"quartermaster audit log {log}\n{size}\n{root}\n{sealed_at}\n".encode()


def read_lines(text: str) -> Iterator[Checkpoint]:
    """The checkpoints of a file, one JSON object a line; a line cut off when its writer was killed is skipped."""
    for line in text.splitlines():
        try:
            yield Checkpoint.of(json.loads(line))
        except ValueError:
            continue


def public_key_from(pem: str | bytes) -> Ed25519PublicKey:
    """A public key from its PEM text. Raises `ValueError` when it is none of ours."""
    key = load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("this is no Ed25519 public key")
    return key


class LogFiles:
    """What belongs to the log and stays outside the database: the folder ``audit`` of the company's home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "audit"
        self.checkpoints = self.folder / "checkpoints.jsonl"
        self._private = self.folder / "signing-key.pem"
        self._public = self.folder / "public-key.pem"

    def kept(self) -> list[Checkpoint]:
        """The checkpoints kept here, smallest first."""
        if not self.checkpoints.exists():
            return []
        return sorted(set(read_lines(self.checkpoints.read_text(encoding="utf-8", errors="replace"))))

    def keep(self, added: Iterable[Checkpoint]) -> None:
        """Append checkpoints."""
        text = "".join(f"{canonical_json(one.as_json())}\n" for one in added)
        with self.checkpoints.open("a+b") as file:
            cut_off = False
            if file.tell():
                file.seek(-1, SEEK_END)
                cut_off = file.read(1) != b"\n"
            file.write(f"{chr(10) if cut_off else ''}{text}".encode())

    def signing_key(self) -> Ed25519PrivateKey:
        """The company's signing key, made at first use; only its owner can read the file.

        Raises `SigningKeyMissing` where the public key shows that there was one: another would not fit the log.
        """
        if not self._private.exists() and self._public.exists():
            raise SigningKeyMissing(
                f"{self._private} is missing, and {self._public.name} beside it is another key's: restore the file"
            )
        if not self._private.exists():
            fresh = Ed25519PrivateKey.generate()
            pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_once(self._private, pem, mode=0o600)
        key = load_pem_private_key(self._private.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{self._private} holds no Ed25519 key")
        if not self._public.exists():
            write_once(self._public, pem_of(key.public_key()), mode=0o644)
        return key

    def public_key(self) -> Ed25519PublicKey | None:
        """The key that checks signatures; None where nothing was ever signed here. Makes no key."""
        if self._public.exists():
            return public_key_from(self._public.read_bytes())
        return self.signing_key().public_key() if self._private.exists() else None

    def public_pem(self) -> str | None:
        """The public key as PEM text, to be kept by whoever checks proofs and exports."""
        key = self.public_key()
        return None if key is None else pem_of(key).decode()


def pem_of(key: Ed25519PublicKey) -> bytes:
    """The key as PEM text."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_once(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file whole or not at all; one that is there already stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def stored(row: Row[Any]) -> Checkpoint:
    """The checkpoint that a row of the database holds."""
    at = f"{utc_text(row.sealed_at).replace(' ', 'T')}Z"
    return Checkpoint(row.size, row.root, row.log_id, at, row.signature)
