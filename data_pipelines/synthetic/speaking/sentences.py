"""Endless different English sentences from a seed, and letter-to-phone rules for them.

The grammar is `texts/english.py`; other languages and splits are in `languages.py`.
"""

import re
from collections.abc import Iterator

import numpy as np

from data_pipelines.synthetic.speaking.texts.english import GRAMMAR


def sentence(rng: np.random.Generator) -> str:
  """A text of 1 to 40 words, mostly one sentence, with capital and closing mark."""
  return GRAMMAR.draw(rng)


def sentences(seed: int) -> Iterator[str]:
  """Different texts without end; the same ones for the same seed."""
  rng = np.random.default_rng((seed, 71))
  seen: set[str] = set()
  while True:
    text = sentence(rng)
    if text not in seen:
      seen.add(text)
      yield text


# Short words whose spelling misleads.
_IRREGULAR = {
  'the': 'dh ax', 'a': 'ax', 'of': 'ah v', 'to': 't uw', 'two': 't uw',
  'one': 'w ah n', 'you': 'y uw', 'your': 'y ao r', 'was': 'w ah z', 'were': 'w er',
  'what': 'w ah t', 'who': 'hh uw', 'said': 's eh d', 'says': 's eh z', 'do': 'd uw',
  'are': 'aa r', 'our': 'aw er', 'four': 'f ao r', 'some': 's ah m', 'come': 'k ah m',
  'people': 'p iy p ax l', 'would': 'w uh d', 'could': 'k uh d', 'should': 'sh uh d',
  'woman': 'w uh m ax n', 'mother': 'm ah dh er', 'brother': 'b r ah dh er',
  'i': 'ay', 'they': 'dh ey', 'have': 'hh ae v', 'give': 'g ih v', 'move': 'm uw v',
  'moved': 'm uw v d', 'gave': 'g ey v', 'shoe': 'sh uw', 'believe': 'b ih l iy v',
  'through': 'th r uw', 'threw': 'th r uw', 'eye': 'ay', 'blue': 'b l uw',
  'beautiful': 'b y uw t ih f ax l', 'no': 'n ow', 'so': 's ow', 'go': 'g ow',
  'me': 'm iy', 'we': 'w iy', 'he': 'hh iy', 'she': 'sh iy', 'be': 'b iy', 'my': 'm ay',
  'by': 'b ay', 'why': 'w ay', 'again': 'ax g eh n', 'put': 'p uh t',
}  # fmt: skip

# (letters, phones), longest first at equal place; `$` is the end of a word.
_RULES = """tion=sh ax n|sion=zh ax n|ough=ao|augh=ao|eigh=ey|ought=ao t|ture=ch er
igh=ay|tch=ch|dge=jh|sch=s k|oor=ao r|our=ao r|ear=ih r|air=eh r|are$=eh r|ure$=y uh r
ore=ao r|ire$=ay er|eau=ow|ous$=ax s|ing$=ih ng|ed$=d|es$=z|le$=ax l|que=k
ch=ch|sh=sh|th=th|ph=f|wh=w|wr=r|kn=n|ck=k|ng=ng|qu=k w|gh=|mb$=m|ss=s|ll=l|tt=t|pp=p
bb=b|dd=d|ff=f|gg=g|mm=m|nn=n|rr=r|zz=z|cc=k
ai=ey|ay=ey|ea=iy|ee=iy|ei=iy|ey=iy|ie=iy|oa=ow|oe=ow|oi=oy|oy=oy|oo=uw|ou=aw|ow=ow
au=ao|aw=ao|ue=uw|ui=uw|ew=uw|eu=uw|ar=aa r|er=er|ir=er|or=ao r|ur=er|al=ao l
ce=s|ci=s ih|cy=s iy|ge=jh|gi=jh ih|x=k s|y$=iy|e$=
a=ae|b=b|c=k|d=d|e=eh|f=f|g=g|h=hh|i=ih|j=jh|k=k|l=l|m=m|n=n|o=aa|p=p|q=k|r=r|s=s|t=t
u=ah|v=v|w=w|y=ih|z=z"""
_RULE = {
  letters: phones.split()
  for letters, phones in (r.split('=') for r in _RULES.replace('\n', '|').split('|'))
}
_NAMED = re.compile('[aeiou][^aeiouwxr]e')
_LONG = {'a': 'ey', 'e': 'iy', 'i': 'ay', 'o': 'ow', 'u': 'uw'}


def word_phones(word: str) -> tuple[str, ...]:
  """Phones of one word by rule: right for most words, readable lips for all."""
  word = ''.join(c for c in word.lower() if 'a' <= c <= 'z')
  if word in _IRREGULAR:
    return tuple(_IRREGULAR[word].split())
  phones: list[str] = []
  at = 0
  while at < len(word):
    rest = word[at:]
    alone = at == 0 or word[at - 1] not in 'aeiou'
    # vowel, one consonant, silent e: the vowel says its name ("home")
    if alone and _NAMED.match(rest):
      phones.append(_LONG[rest[0]])
      at += 1
      continue
    for length in range(min(5, len(rest)), 0, -1):
      piece = rest[:length]
      key = piece + '$' if at + length == len(word) and piece + '$' in _RULE else piece
      if key in _RULE and not (key == 'e$' and not phones):
        phones += _RULE[key]
        at += length
        break
  return tuple(phones)


def text_phones(text: str) -> list[tuple[str, ...]]:
  """Words as phones; `('sil',)` stands for a comma or a full stop inside the text."""
  words: list[tuple[str, ...]] = []
  for token in text.split():
    phones = word_phones(token)
    if phones:
      words.append(phones)
    if token.rstrip('"')[-1:] in tuple(',.;:?!'):
      words.append(('sil',))
  while words and words[-1] == ('sil',):
    words.pop()
  return words
