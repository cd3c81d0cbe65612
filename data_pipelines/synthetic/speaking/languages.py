"""Texts of thirteen languages, and which split a text belongs to.

A sentence belongs to one split for good: a digest of its letters decides, so that no
sentence of validation or test is ever spoken in train, in whatever order and by however
many workers corpora are made.
"""

import hashlib
import importlib

import numpy as np

from data_pipelines.synthetic.speaking.grammar import Grammar

SPLITS = ('train', 'validation', 'test')
# code as speech programs know it: module of `texts`
LANGUAGES = {
  'cmn': 'mandarin', 'de': 'german', 'en': 'english', 'es': 'spanish', 'fr': 'french',
  'hi': 'hindi', 'it': 'italian', 'ja': 'japanese', 'nl': 'dutch', 'pl': 'polish',
  'pt': 'portuguese', 'ru': 'russian', 'tr': 'turkish',
}  # fmt: skip
# Twentieths of all sentences; the rest is train.
_SHARE = {'validation': 1, 'test': 1}


def grammar(language: str) -> Grammar:
  """The grammar of a language of `LANGUAGES`.

  Raises:
    ValueError: no such language.
  """
  if language not in LANGUAGES:
    raise ValueError(f'no texts in {language!r}; there are {", ".join(LANGUAGES)}')
  module = importlib.import_module(f'{__package__}.texts.{LANGUAGES[language]}')
  return module.GRAMMAR


def split_of_text(text: str) -> str:
  """The split that a sentence belongs to; case and marks between words do not count."""
  letters = ''.join(c for c in text.casefold() if c.isalnum())
  digest = hashlib.blake2b(letters.encode(), digest_size=8).digest()
  place = int.from_bytes(digest, 'little') % 20
  if place < _SHARE['test']:
    return 'test'
  return 'validation' if place < _SHARE['test'] + _SHARE['validation'] else 'train'


def sentence(
  rng: np.random.Generator, language: str = 'en', split: str | None = None
) -> str:
  """One text of a language, of one split's share if a split is named.

  Args:
    rng: draws it.
    language: one of `LANGUAGES`.
    split: one of `SPLITS`, or None for any text.
  """
  if split is not None and split not in SPLITS:
    raise ValueError(f'split {split!r} is none of {", ".join(SPLITS)}')
  rules = grammar(language)
  while True:
    text = rules.draw(rng)
    if split is None or split_of_text(text) == split:
      return text
