"""One phone alphabet for every speech backend: ARPAbet in lower case, without stress.

`flite` speaks a dialect of it already; `espeak-ng` reports IPA, of other languages
too. All are folded into the same 41 names, so that lips (`visemes.py`) and labels know
only one alphabet.
"""

import re
import unicodedata
from typing import NamedTuple

SILENCE = 'sil'
VOWELS = (
  'aa', 'ae', 'ah', 'ao', 'aw', 'ax', 'ay', 'eh', 'er', 'ey', 'ih', 'iy', 'ow', 'oy',
  'uh', 'uw',
)  # fmt: skip
CONSONANTS = (
  'b', 'ch', 'd', 'dh', 'f', 'g', 'hh', 'jh', 'k', 'l', 'm', 'n', 'ng', 'p', 'r', 's',
  'sh', 't', 'th', 'v', 'w', 'y', 'z', 'zh',
)  # fmt: skip
PHONES = (SILENCE, *VOWELS, *CONSONANTS)


class Phone(NamedTuple):
  """A phone and its time: `name` in `PHONES`, `start` and `end` in seconds."""

  name: str
  start: float
  end: float


_FLITE = {
  'pau': 'sil', 'h#': 'sil', '#': 'sil', 'ssil': 'sil', 'brth': 'sil', 'dx': 'd',
  'nx': 'n', 'el': 'l', 'en': 'n', 'em': 'm', 'hv': 'hh', 'axr': 'er', 'ix': 'ih',
  'ux': 'uw', 'h': 'hh', 'hw': 'w',
}  # fmt: skip

# IPA as speech programs write it. Longer keys are listed so that a diphthong is one
# phone; what is not listed is split into its letters. Where a language has a sound that
# English lacks, its place is taken by the phone whose lips and jaw look most alike:
# a rounded front vowel is a rounded one, a throaty `r` is made at the back (`g`).
_IPA = {
  'tʃ': 'ch', 'dʒ': 'jh', 'eɪ': 'ey', 'aɪ': 'ay', 'aʊ': 'aw', 'ɔɪ': 'oy', 'oʊ': 'ow',
  'əʊ': 'ow', 'ɜː': 'er', 'ɑː': 'aa', 'ɔː': 'ao', 'oː': 'ao', 'iː': 'iy', 'uː': 'uw',
  'əl': 'l', 'ɚ': 'er', 'ɝ': 'er', 'ɜ': 'er', 'ɑ': 'aa', 'a': 'aa', 'æ': 'ae',
  'ʌ': 'ah', 'ɐ': 'ax', 'ə': 'ax', 'ɔ': 'ao', 'ɒ': 'ao', 'o': 'ow', 'ɛ': 'eh',
  'e': 'eh', 'ɪ': 'ih', 'ᵻ': 'ih', 'i': 'iy', 'ʊ': 'uh', 'u': 'uw', 'ʉ': 'uw',
  'p': 'p', 'b': 'b', 't': 't', 'd': 'd', 'k': 'k', 'ɡ': 'g', 'g': 'g', 'm': 'm',
  'n': 'n', 'ŋ': 'ng', 'f': 'f', 'v': 'v', 'θ': 'th', 'ð': 'dh', 's': 's', 'z': 'z',
  'ʃ': 'sh', 'ʒ': 'zh', 'h': 'hh', 'x': 'hh', 'ç': 'hh', 'ʔ': 'hh', 'l': 'l',
  'ɫ': 'l', 'ɬ': 'l', 'ɹ': 'r', 'r': 'r', 'ɾ': 'd', 'w': 'w', 'ʍ': 'w', 'j': 'y',
  # other languages
  'ei': 'ey', 'ɛɪ': 'ey', 'ai': 'ay', 'əu': 'ow', 'ou': 'ow', 'ʌʊ': 'ow', 'ɑu': 'aw',
  'au': 'aw', 'æʊ': 'aw', 'ʌʉ': 'aw', 'oɪ': 'oy', 'oi': 'oy', 'ɔø': 'oy', 'œy': 'oy',
  'tɕ': 'ch', 'dʑ': 'jh', 'ʈʂ': 'ch', 'ɖʐ': 'jh', 'ts.': 'ch', 's.': 'sh', 'z.': 'zh',
  'r.': 'd', 'i.': 'ih', 'ɯᵝ': 'uw', 'y': 'uw', 'ø': 'uh', 'œ': 'er', 'ɵ': 'uh',
  'ɨ': 'ih', 'ɯ': 'ax', 'ɤ': 'ax', 'ɘ': 'ax', 'ʏ': 'uh', 'c': 'ch', 'ɟ': 'jh',
  'q': 'k', 'ɢ': 'g', 'ʁ': 'g', 'ʀ': 'g', 'χ': 'hh', 'ħ': 'hh', 'ɦ': 'hh', 'ɣ': 'g',
  'ɰ': 'g', 'β': 'b', 'ɸ': 'w', 'ʋ': 'v', 'ɥ': 'w', 'ɲ': 'n', 'ɳ': 'n', 'ɴ': 'ng',
  'ʎ': 'l', 'ɭ': 'l', 'ʈ': 't', 'ɖ': 'd', 'ɽ': 'd', 'ɻ': 'r', 'ʂ': 'sh', 'ʐ': 'zh',
  'ɕ': 'sh', 'ʑ': 'zh', 'ʝ': 'y',
  # one letter for two, as the phonemes of neural voices have them
  'A': 'ey', 'I': 'ay', 'O': 'ow', 'Q': 'ow', 'W': 'aw', 'Y': 'oy', 'ʧ': 'ch',
  'ʤ': 'jh', 'ʨ': 'ch', 'ʥ': 'jh', 'ʦ': 'ts', 'ʣ': 'dz', 'ᵊ': 'ax', 'ꭧ': 'ch',
}  # fmt: skip
# An `r` outside of English is a tap or a trill of the tongue: the lips stay as they
# are. A lone `o` has no glide there, and Turkish writes palatal stops with these signs.
_ABROAD = {'r': 'd', 'o': 'ao'}
# Mandarin's third tone is written like a vowel.
_OF_LANGUAGE = {'cmn': {'ɜ': ''}, 'tr': {'c': 'k', 'ɟ': 'g'}}
_PAIRS = {'ts': ('t', 's'), 'dz': ('d', 'z')}
# Stress, length, breath, palate: they carry no lip shape.
_MARKS = frozenset('ˈˌː:ʲʰʱᵝˑ.-^"\'_|; ̩12345?↓→↗↘,!')
_SWITCH = re.compile(r'\([^)]*\)')  # espeak-ng names the language it changes to


def from_flite(name: str) -> str:
  """The phone behind one of flite's names; an unknown name is a schwa."""
  name = name.lower()
  name = _FLITE.get(name, name)
  return name if name in PHONES else 'ax'


class _Piece(NamedTuple):
  """Letters of IPA and what they are: phones, or nothing for a mark."""

  letters: str
  phones: tuple[str, ...]
  known: bool


def ipa_pieces(text: str, language: str = 'en') -> list[_Piece]:
  """Splits IPA greedily into the longest letters known; all letters are kept."""
  own = _OF_LANGUAGE.get(language, {})
  if language != 'en':
    own = {**_ABROAD, **own}
  pieces = []
  while text:
    for length in (3, 2, 1):
      key = text[:length]
      name = own.get(key, _IPA.get(key))
      if name is not None and len(text) >= length:
        phones = _PAIRS.get(name, (name,)) if name else ()
        pieces.append(_Piece(key, phones, True))
        break
    else:
      known = text[0] in _MARKS or bool(unicodedata.combining(text[0]))
      pieces.append(_Piece(text[0], (), known))
    text = text[len(pieces[-1].letters) :]
  return pieces


def _plain(symbol: str) -> str:
  text = unicodedata.normalize('NFD', _SWITCH.sub('', symbol))
  text = ''.join(c for c in text if not unicodedata.combining(c) or c == '̧')
  return unicodedata.normalize('NFC', text).strip('ˈˌ_|; ')


def knows_ipa(symbol: str, language: str = 'en') -> bool:
  """Whether every letter of a phoneme event is a phone or a mark known here."""
  return all(piece.known for piece in ipa_pieces(_plain(symbol), language))


def from_ipa(symbol: str, language: str = 'en') -> tuple[str, ...]:
  """The phones of one espeak-ng phoneme event, in order.

  An empty symbol is a pause. A triphthong such as `aɪɚ` gives several phones; marks
  (stress, length, syllabicity) that carry no lip shape are dropped.

  Args:
    symbol: IPA of one event.
    language: what is spoken, a code such as `de`.
  """
  phones: list[str] = []
  for piece in ipa_pieces(_plain(symbol), language):
    phones += piece.phones
  return tuple(phones) or (SILENCE,)
