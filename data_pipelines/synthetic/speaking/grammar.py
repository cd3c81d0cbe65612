"""Text grammars: rules of alternatives, from which endless sentences are drawn.

A grammar is written as lines `name = one | two {other} | three`; lines that begin with
a blank go on with the rule above. `{other}` stands for a draw of that rule; an
alternative that ends in ` *3` is drawn three times as often; drawing starts at `S`.
"""

import functools
import re

import numpy as np

_REFERENCE = re.compile(r'\{(\w+)\}')
_START_OF_SENTENCE = re.compile(r'(^|[.!?…]["»”“]?\s+)(["„«“¿¡—–-]*\s*)(\w)')


class Grammar:
  """Rules of one language.

  Args:
    text: the rules, as the module's docstring writes them.
    fixes: (pattern, replacement) pairs for what neighbours do to each other, as in
      `an apple`; applied before capitals are set.
    upper: a letter to its capital (Turkish has its own).

  Raises:
    ValueError: a rule is empty, unknown or refers to itself.
  """

  def __init__(
    self, text: str, fixes: tuple[tuple[str, str], ...] = (), upper=str.upper
  ):
    self._rules: dict[str, tuple[str, ...]] = {}
    self._upper = upper
    self._fixes = tuple((re.compile(find), put) for find, put in fixes)
    for block in re.split(r'\n(?=\S)', text.strip()):
      name, found, body = block.partition('=')
      if not found:
        raise ValueError(f'not a rule: {block[:60]!r}')
      options = []
      for option in body.split('|'):
        option, _, weight = ' '.join(option.split()).partition(' *')
        if not option:
          raise ValueError(f'rule {name.strip()!r} has an empty alternative')
        options += [option] * int(weight or 1)
      self._rules[name.strip()] = tuple(options)
    self.count()  # finds unknown rules and circles

  def draw(self, rng: np.random.Generator) -> str:
    """One text, with capitals where sentences begin."""
    text = self._expand('S', rng)
    for find, put in self._fixes:
      text = find.sub(put, text)
    return _START_OF_SENTENCE.sub(
      lambda m: m.group(1) + m.group(2) + self._upper(m.group(3)), text
    )

  def _expand(self, name: str, rng: np.random.Generator) -> str:
    options = self._rules[name]
    option = options[int(rng.integers(len(options)))]
    return _REFERENCE.sub(lambda m: self._expand(m.group(1), rng), option)

  def count(self) -> int:
    """How many texts the rules can make, ways of making one and the same included."""
    open_rules: list[str] = []

    @functools.cache
    def ways(name: str) -> int:
      if name not in self._rules:
        raise ValueError(f'unknown rule {name!r}')
      if name in open_rules:
        raise ValueError(f'rule {name!r} refers to itself')
      open_rules.append(name)
      total = 0
      for option in set(self._rules[name]):
        product = 1
        for other in _REFERENCE.findall(option):
          product *= ways(other)
        total += product
      open_rules.pop()
      return total

    return ways('S')

  def pieces(self) -> list[str]:
    """Every alternative without its references: all words the grammar knows."""
    options = {option for options in self._rules.values() for option in options}
    bare = {' '.join(_REFERENCE.sub(' ', option).split()) for option in options}
    return sorted(bare)
