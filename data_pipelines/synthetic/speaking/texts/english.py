"""English: statements, questions, orders, cries, numbers and short talks.

The word lists are chosen for phones, not for meaning: every list holds lip closures,
rounded vowels, open vowels and bites, so that a few seconds show most visemes.
"""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar(
  """
S = {plain} *6 | {told} *3 | {question} *4 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} *2 | {feeling} *2 | {compare} | {story} *2
plain = {who} {did} {thing}. | {who} {did} {thing} {where}.
  | {where}, {who} {did} {thing}. | {who} {did} {thing}, but {who} {did} it.
  | {where}, {who} {did} {thing} and {did} {thing}.
  | {who} {never} {did} {thing} {where}. | {who} and {who} {did} {thing} {when}.
told = {say} {who} {did} {thing}. | {say} {who} {did} {thing} {where}.
  | {say} {we} {can} {do} {thing} {when}. | {who} told me that {who} {did} {thing}.
question = {ask} {who} {do} {thing}? | {asked} {who} {did} {thing}?
  | {can} {we} {do} {thing} {when}? | where is {thing}? | who {did} {thing} {where}?
  | how many {nouns} did {who} {do}? | why not {do} {thing} {where}?
  | is {thing} {feel} or {feel}? | {who} {did} {thing}, {tag}?
cry = what a {adj} {noun}! | how {feel} {thing} was! | watch out for {thing}!
  | oh no, {who} {did} {thing}! | {wow}, {who} {did} {thing}! | {wow}, {thing}!
order = please {do} {thing} {when}. | {do} {thing}, and then {do} {thing}.
  | never {do} {thing} {where}. | let us {do} {thing} {where}.
  | {do} it {when}, please!
talk = {hello}, {name}! how is {relative}?
  | {name}, did you {do} {thing}? {yes}, {when}.
  | "{wow}," said {name}, "{we} {can} {do} {thing}." | {yes}, {we} {can} {do} {thing}.
  | sorry, {name}, {who} {did} {thing}. | thank you, {name}, {thing} is {feel}.
  | do you like {thing}? {yes}, but {thing} is {feel}. | {no}, {name}, not {when}.
sums = {number} {nouns} and {number} {nouns} {where}.
  | {who} paid {number} pounds for {thing}. | page {tens} {unit}, line {number}.
  | the number is {unit}, {unit}, {unit}, {unit}, {unit}.
  | it is {number} minutes past {unit}, {name}. | {tens} {unit} people {did} {thing}.
  | on the {nth} of {month}, {who} {did} {thing}.
  | {number} times {number} is not {number}.
  | in {month} we had {number} {adj} {nouns}.
brief = {who} {went} {where}. | {hello}, {name}! | {feel}? {yes}! | {yes}, {when}.
  | {adj} {nouns}, {adj} {nouns}. | {name} {went}. | good {noun}, bad {noun}.
  | {thing}, please.
feeling = {we} feel {feel} {when}.
  | {relative} was so {feel} that {who} {went} {where}.
  | it makes me {feel} when {who} {did} {thing}. | {who} looked {feel} and {feel}.
  | I have never been so {feel}, {name}.
compare = {thing} is as {adj} as {thing}.
  | {who} would rather {do} {thing} than {do} {thing}.
  | the more we {do}, the more {feel} we become.
story = {long_ago}, {who} {did} {thing} {where}, and {who} {went} {where},
    because {who} {did} {thing}.
  | {long_ago}, {who} {went} {where}. then {who} {did} {thing}, but nobody
    {did} {thing}.
  | when {who} {went} {where}, {who} {did} {thing}, so {we} {can} {do} {thing}.
  | {who}, who once {did} {thing} {where}, {went} {where} with {thing}.
who = my brother | your mother | the baker | a young farmer | the old painter
  | the mayor | Barbara | one of the five boys | her father | our neighbour
  | the beaver | the whole family | the pilot | Thomas | the woman in blue | nobody
  | the judge | the chef | the bookshop owner | a famous poet | the very small boy
  | Vivian | the fisherman | the choir | my boss | the village doctor
  | the new teacher | a tired nurse | the bus driver | Oliver | Phoebe
  | the girl next door | an honest lawyer | the football coach | somebody
  | the oldest waiter | grandmother | Mister Webb | the brave firefighter
  | an unknown visitor | the museum guide | George | the choir boy
did = bought | moved | painted | found | wanted | opened | saved | gave away | forgot
  | described | measured | brought home | picked up | watched | mixed | chose | drew
  | folded | washed | dropped | pushed | polished | shared | threw out | borrowed
  | loved | remembered | built | photographed | wrapped | broke | hid | fixed
  | followed | judged | cooked | smelled | touched | weighed | sold
do = buy | move | paint | find | open | save | forget | measure | pick up | watch
  | mix | choose | draw | fold | wash | drop | push | share | borrow | remember
  | build | give away | throw out | wrap | break | fix | follow | hide | cook | touch
  | sell | carry | shake | use | bring back | look for | pay for
went = went | walked | ran | drove | flew home | waited | fell asleep | laughed
  | stood | sang | danced | sat down | whispered | got lost | worked | stopped
  | smiled | swam | woke up | shouted
thing = the {noun} | that {adj} {noun} | {number} {adj} {nouns} | a {adj} {noun}
  | the {adj} {noun} | {whose} {noun} | {whose} {adj} {noun} | both {nouns}
  | some {adj} {nouns} | every {noun}
adj = purple | soft | heavy | yellow | broken | warm | public | cheap | foreign
  | smooth | famous | blue | weird | beautiful | empty | huge | fresh | brown | thick
  | loud | wooden | royal | narrow | bright | round | bitter | ancient | orange
  | shiny | awful | perfect | frozen | golden | rough | tiny | modern
noun = box | map | boat | umbrella | piano | mushroom | photo | window | book | chair
  | coffee cup | bicycle | violin | ship | towel | paper bag | garage door | football
  | garden path | moon rock | basket | oven | film | poem | bowl of soup | wheel
  | jar of jam | television | shoe | puppet | mirror | fish | thumb | bathroom
  | pumpkin | vase | church bell | feather | bridge | camera | letter | apple pie
  | zoo
nouns = boxes | maps | boats | umbrellas | pianos | mushrooms | photos | windows
  | books | chairs | coffee cups | bicycles | violins | ships | towels | paper bags
  | footballs | baskets | films | poems | wheels | jars of jam | shoes | puppets
  | mirrors | thumbs | pumpkins | feathers | bridges | letters | apple pies | fishes
  | babies | leaves | wolves | potatoes | cheap watches | pictures
whose = my | your | her | his | our | their | my brother's | the mayor's | Vivian's
  | the baker's
where = above the harbour | behind the shop | near the old bridge
  | in the pouring rain | before five o'clock | over the weekend
  | from the top of the roof | with both hands | under the apple tree
  | on the way home | for the first time | by the open fire | between the two rooms
  | at half past four | without a word | after the show | beside the village pub
  | during the football match | through the whole summer | out of pure joy
  | among the flowers | across the frozen lake | in front of the museum
  | on a Monday morning | far from the village | at the back of the bus
  | in the middle of the night | around the corner
when = tomorrow | today | every evening | next week | before breakfast | on Friday
  | after the film | at once | this very moment | in a few months | twice a year
  | as soon as possible | in June
say = I believe that | we all hope that | maybe | of course | they say that
  | you should know that | to my surprise | once again | it seems that
  | people forget that | a moment ago | as far as I know | on a good day | believe me
  | above all | by the way | the paper says that | I promise that
ask = how could | why would | where did | when will | why did | how often should
asked = would you believe that | do you think that | who said that | what if
  | is it true that
tag = right | is that so | or am I wrong | remember | do you see
we = we | you | I | they | both of us | most people
can = can | could | must | should | might | may
never = never | always | often | almost | hardly ever | suddenly | finally | perhaps
  | slowly
feel = happy | afraid | angry | bored | proud | tired | thoughtful | awful | hungry
  | cheerful | foolish | calm | brave | worried | funny | warm | unhappy | wonderful
  | lovely | amazed
wow = wow | oh boy | goodness me | hooray | oh my | bravo | for heaven's sake
  | well well | whoa
hello = hello | good morning | good evening | welcome back | how do you do | hi
  | goodbye
name = Emma | Bob | Olivia | Paul | Sophie | Frank | Maya | Arthur | Beth | Victor
  | Joy | Hugh | Zoe
relative = your mother | my uncle | the family | your brother | her aunt | the baby
  | my wife | his cousin
yes = yes | of course | maybe | sure | I think so | absolutely | why not | probably
no = no | never | not at all | I am afraid not | oh no
number = two | three | four | five | six | seven | eight | nine | ten | eleven
  | twelve | fifteen | forty | fifty | ninety | {tens} {unit} | {unit} hundred
unit = one | two | three | four | five | six | seven | eight | nine
tens = twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety
nth = first | second | third | fourth | fifth | tenth | twelfth | twentieth
month = January | February | March | April | May | June | July | August | September
  | October
long_ago = once upon a time | many years ago | one stormy evening | last winter
  | when I was five | a long time ago | before the war | on my birthday
""",
  fixes=((r'\ba (?=[aeiou])', 'an '),),
)
