"""Dutch: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} heeft {thing} {done}. | {who} heeft {when} {thing} {done}.
  | {when} heeft {who} {where} {thing} {done}. | {who} {goes} {where}.
  | {who} heeft {thing} {done}, maar {who} heeft {thing} {done}.
told = {say} dat {who} {where} {thing} heeft {done}.
  | {say} dat {who} {thing} heeft {done}.
question = {ask} heeft {who} {thing} {done}? | heeft {who} {when} {thing} {done}?
  | {can} we {when} {thing} {do}? | {who} heeft {thing} {done}, {tag}?
  | waar is {thing}?
cry = {wow}, {who} heeft {thing} {done}! | {wow}, {thing}! | wat is {thing} {feel}!
order = laten we {where} {thing} {do}. | wil je {when} {thing} {do}?
  | nooit {where} {thing} {do}!
talk = {hello}, {name}! hoe gaat het met {who}? {feel}.
  | {name}, {can} we {thing} {do}? {yes}, {when}.
  | "{wow}," zei {name}, "{who} heeft {thing} {done}."
  | dank je, {name}, {thing} is {feel}. | sorry, {name}, {who} heeft {thing} {done}.
sums = {number} boeken en {number} appels {where}.
  | {who} heeft {number} euro voor {thing} betaald.
  | het nummer is {digit}, {digit}, {digit}, {digit}, {digit}.
  | het is {number} over {digit}, {name}.
brief = {who} {goes} {when}. | {hello}, {name}! | {feel}? {yes}!
  | {thing}, alsjeblieft.
story = {once} heeft {who} {where} {thing} {done}, en {who} heeft {thing} {done}.
  | {who} was {feel}, want {who} heeft {thing} {done}. toen heeft {who} {where}
    {thing} {done}.
can = kunnen | zullen | moeten | mogen | willen
who = mijn broer | je moeder | de bakker | een jonge boerin | de oude schilder
  | de burgemeester | Barbara | onze buurman | de kat | de piloot | Thomas | niemand
  | de rechter | de kok | een beroemde dichter | de kleine jongen | de visser
  | het koor | mijn baas | de vrouw in het blauw | de juf | een moeie ober
  | het meisje van hiernaast | iemand | oma | meneer Van Buuren | de huisarts
done = gekocht | verplaatst | geschilderd | gevonden | geopend | vergeten | beschreven
  | gemeten | gebracht | opgeraapt | bekeken | gemengd | gekozen | getekend | gevouwen
  | gewassen | verloren | geduwd | gedeeld | weggegooid | geleend | gebouwd | gezocht
  | verkocht | geproefd | verstopt | gevuld | gevolgd
do = kopen | verplaatsen | schilderen | vinden | openen | vergeten | beschrijven
  | meten | brengen | oprapen | bekijken | mengen | kiezen | tekenen | vouwen | wassen
  | duwen | delen | weggooien | bouwen | zoeken | verkopen | proeven | verstoppen
  | vullen | volgen
goes = loopt | rent | wacht | slaapt | lacht | zingt | danst | werkt | zwemt | droomt
  | huilt | fluistert
thing = de {de} | een {adj}e {de} | het {het} | een {adj} {het} | mijn {de}
  | jullie {het} | {number} {plural} | de {adj}e {plural} | deze {adj}e {de}
  | dat {adj}e {het}
adj = zwaar | klein | groen | vreemd | zacht | warm | nieuw | breed | rond | bitter
  | blauw | fris | bruin | duur | leuk | mooi | stevig | gouden | houten | koud
de = kaart | boot | paraplu | paddenstoel | foto | stoel | fiets | trui | deur | maan
  | vis | spiegel | brug | soep | lamp | brief | koffer | gitaar | klok | veer | muis
  | bloem | appel | tas | trein | schoen
het = boek | huis | raam | schip | brood | gedicht | wiel | mes | bord | ei | paard
  | kussen | vuur | lied | geschenk | glas | gebouw | horloge | hek | schaap
plural = boeken | boten | foto's | fietsen | schoenen | bloemen | ramen | vissen
  | brieven | vogels | appels | muizen | huizen | liedjes | knopen | schapen
where = boven de haven | achter de winkel | bij de oude brug | in de regen
  | op het dak | met beide handen | onder de appelboom | bij het vuur
  | tussen twee deuren | zonder een woord | voor het museum
  | aan het eind van de straat | in het bos | op het station | midden in het dorp
  | bij mijn ouders | in de keuken | aan het meer | van pure vreugde
  | voor de eerste keer
when = morgen | vandaag | elke avond | gisteren | voor het ontbijt | op vrijdag
  | na de film | meteen | twee keer per jaar | in juli | om half vier | in de winter
  | op maandag | eindelijk
say = ik geloof | we hopen allemaal | men zegt | je weet | het lijkt | ik was vergeten
  | iedereen denkt | de krant schrijft | ik beloof
ask = waarom | hoe | wanneer | waar | met wie
tag = nietwaar | toch | weet je nog
feel = moe | blij | boos | trots | hongerig | dapper | rustig | gelukkig | verdrietig
  | geweldig | grappig
wow = oh | lieve hemel | hoera | bravo | goeie genade | jeetje | wauw | helaas
hello = hallo | goedemorgen | goedenavond | welkom | tot ziens | dag
name = Emma | Bob | Sofie | Joost | Guusje | Paul | Victor | Marijke | Ruud | Sjoerd
  | Eefje
yes = ja | natuurlijk | misschien | ik denk het wel | waarom niet | nee, nooit | zeker
  | graag
number = twee | drie | vier | vijf | zes | zeven | acht | negen | tien | elf | twaalf
  | vijftien | {digit}enveertig | {digit}ennegentig | honderd
digit = vier | vijf | zes | zeven | acht | negen
once = jaren geleden | op een avond | vorige winter | lang geleden
  | op mijn verjaardag
""")
