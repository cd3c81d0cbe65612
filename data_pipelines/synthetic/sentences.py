"""Endless different English sentences from a seed, and letter-to-phone rules for them.

The word lists are chosen for phones, not for meaning: every list holds lip closures,
rounded vowels, open vowels and bites, so that a few seconds show most visemes.
"""

import re
from collections.abc import Iterator

import numpy as np

_PEOPLE = """my brother|your mother|the baker|a young farmer|the old painter|the mayor
Barbara|the five boys|her father|our neighbour|the beaver|the whole family|the pilot
Thomas|the woman in blue|nobody|the judge|the chef|the bookshop owner|a famous poet
the very small boy|Vivian|the fisherman|the choir|my boss
the village doctor""".split('\n')
_DID = """bought|moved|painted|found|wanted|opened|saved|gave away|forgot|described
measured|brought home|picked up|watched|mixed|chose|drew|folded|washed|dropped
pushed|polished|shared|threw out|borrowed|loved|remembered|built""".split('\n')
_THINGS = """purple|soft|heavy|yellow|broken|warm|public|cheap|foreign|smooth|famous
blue|weird|beautiful|empty|huge|fresh|brown|thick|loud|wooden|royal|narrow|bright
box|map|boat|umbrella|piano|mushroom|photo|window|book|chair|coffee cup|bicycle
violin|ship|towel|paper bag|garage door|football|garden path|moon rock|basket
oven|film|poem|bowl of soup|wheel|jar of jam|television|shoe|puppet
mirror""".split('\n')
_WHERE = """above the harbour|behind the shop|near the old bridge|in the pouring rain
before five o'clock|over the weekend|from the top of the roof|with both hands
under the apple tree|on the way home|for the first time|by the open fire
between the two rooms|at half past four|without a word|after the show
beside the village pub|during the football match|through the whole summer
out of pure joy""".split('\n')
_SAY = """I believe that|we all hope that|maybe|of course|they say that
you should know that
to my surprise|once again|it seems that|people forget that|a moment ago|as far as I know
on a good day|believe me|above all|by the way""".split('\n')
_ASK = """how could|why would|when did|where will|what if|would you believe that
do you think that|who said that""".split('\n')
_NUMBERS = 'two three four five seven nine eleven twelve fifteen forty fifty'.split()


def _words(lines: list[str]) -> list[str]:
  return [word.strip() for line in lines for word in line.split('|')]


_PEOPLE, _DID, _WHERE = _words(_PEOPLE), _words(_DID), _words(_WHERE)
_SAY, _ASK = _words(_SAY), _words(_ASK)
_ADJECTIVES, _NOUNS = _words(_THINGS[:3]), _words(_THINGS[3:])
_BARE = """buy|move|paint|find|open|save|forget|measure|pick up|watch|mix|choose|draw
fold|wash|drop|push|share|borrow|remember|build""".replace('\n', '|').split('|')


def _thing(rng: np.random.Generator) -> str:
  """A noun phrase."""
  noun, adjective = rng.choice(_NOUNS), rng.choice(_ADJECTIVES)
  kind = rng.integers(5)
  if kind == 0:
    return f'the {noun}'
  if kind == 1:
    return f'that {adjective} {noun}'
  if kind == 2:
    return f'{rng.choice(_NUMBERS)} {adjective} {noun}s'
  if kind == 3:
    return f'{"an" if adjective[0] in "aeiou" else "a"} {adjective} {noun}'
  return f'the {adjective} {noun}'


def sentence(rng: np.random.Generator) -> str:
  """One sentence of 5 to 16 words, with capital and full stop."""
  who, where = rng.choice(_PEOPLE), rng.choice(_WHERE)
  kind = rng.integers(6)
  if kind == 0:
    text = f'{who} {rng.choice(_DID)} {_thing(rng)}'
  elif kind == 1:
    text = f'{who} {rng.choice(_DID)} {_thing(rng)} {where}'
  elif kind == 2:
    text = f'{rng.choice(_SAY)} {who} {rng.choice(_DID)} {_thing(rng)}'
  elif kind == 3:
    text = f'{where}, {who} {rng.choice(_DID)} {_thing(rng)}'
  elif kind == 4:
    other = rng.choice(_PEOPLE)
    text = f'{who} {rng.choice(_DID)} {_thing(rng)}, but {other} {rng.choice(_DID)} it'
  else:
    ask = str(rng.choice(_ASK))
    # only the first four questions take a bare verb; the others take the past
    verb = rng.choice(_BARE if ask in _ASK[:4] else _DID)
    text = f'{ask} {who} {verb} {_thing(rng)}'
    return text[0].upper() + text[1:] + '?'
  return text[0].upper() + text[1:] + '.'


def sentences(seed: int) -> Iterator[str]:
  """Different sentences without end; the same ones for the same seed."""
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
    if token[-1] in ',.;:?!':
      words.append(('sil',))
  while words and words[-1] == ('sil',):
    words.pop()
  return words
