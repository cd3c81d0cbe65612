"""Polish: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} {did} {thing}. | {who} {did} {thing} {where}.
  | {when} {who} {did} {thing}. | {who} {did} {thing}, ale {who} {did} {thing}.
  | {who} {goes} {where}.
told = {say}, że {who} {did} {thing} {where}. | {say}, że {who} {goes} {where}.
  | {say}, że {can} {do} {thing} {when}.
question = {ask} {who} {did} {thing}? | czy {who} {did} {thing} {where}?
  | czy {can} {do} {thing} {when}? | {who} {did} {thing}, {tag}?
cry = {wow}, {who} {did} {thing}! | {wow}, jak {feel}! | {who} {goes} {when}, {wow}!
order = proszę {do} {thing} {when}. | trzeba {do} {thing} {where}.
  | najpierw {do} {thing}, potem {do} {thing}.
talk = {hello}, {name}! jak się ma {who}? {feel}, {yes}.
  | {name}, czy {can} {do} {thing}? {yes}, {when}.
  | "{wow}", powiedział {name}, "{who} {did} {thing}".
  | dziękuję, {name}, {who} {did} {thing}. | przepraszam, {name}, {who} {did} {thing}.
sums = {digit} i {number}, to nie {number}, {name}.
  | numer to {digit}, {digit}, {digit}, {digit}, {digit}.
  | {who} {did} {thing} za {number} złotych. | {when} przyszło {number} osób.
brief = {who} {goes} {when}. | {hello}, {name}! | {feel}? {yes}! | {thing} proszę.
story = {once} {who} {did} {thing} {where}, a {who} {did} {thing}.
  | {once} było {feel}. potem {who} {did} {thing}, bo {who} {did} {thing}.
can = możemy | chcemy | musimy | mogą | chcesz | mogę
who = mój brat | piekarz | młody rolnik | stary malarz | burmistrz | Tomasz
  | nasz sąsiad | kot | pilot | nikt inny nie | sędzia | kucharz | słynny poeta
  | mały chłopiec | rybak | mój szef | lekarz | nauczyciel | zmęczony kelner | ktoś
  | dziadek | pan Wiśniewski | strażak | Grzegorz | dobry przyjaciel
did = kupił | przesunął | namalował | znalazł | otworzył | zapomniał wziąć | opisał
  | zmierzył | przyniósł | podniósł | obejrzał | wymieszał | wybrał | narysował
  | złożył | umył | zgubił | pchnął | podzielił | wyrzucił | pożyczył | zbudował
  | sprzedał | spróbował znaleźć | schował
do = kupić | przesunąć | namalować | znaleźć | otworzyć | opisać | zmierzyć
  | przynieść | podnieść | obejrzeć | wymieszać | wybrać | narysować | złożyć | umyć
  | pchnąć | podzielić | wyrzucić | zbudować | sprzedać | schować
goes = idzie | biegnie | czeka | śpi | śmieje się | śpiewa | tańczy | pracuje | pływa
  | marzy | płacze | wraca
thing = {adjm} {m} | {adjf} {f} | {adjn} {n} | mój {m} | naszą {f} | to {n} | {m}
  | {f} | {n}
adjm = czerwony | miękki | ciężki | ciepły | tani | dziwny | gładki | niebieski
  | piękny | pusty | ogromny | duży
adjf = czerwoną | miękką | ciężką | ciepłą | tanią | dziwną | gładką | niebieską
  | piękną | pustą | ogromną
adjn = czerwone | miękkie | ciężkie | ciepłe | tanie | dziwne | gładkie | niebieskie
  | piękne | puste | duże
m = dom | parasol | fortepian | grzyb | ser | kapelusz | rower | nóż | płaszcz | most
  | pociąg | but | chleb | obraz | dywan | kosz | klucz | zegar | wiersz | stół
f = mapę | łódkę | książkę | szafę | lampę | zupę | bramę | gitarę | walizkę | jabłoń
  | różę | rybę | kawę | piłkę | skrzynię | łyżkę | chmurę | pieśń | żabę | świecę
n = okno | jabłko | krzesło | pudełko | zdjęcie | lustro | koło | jajko | światło
  | pióro | mydło | ciasto
where = nad portem | za sklepem | przy starym moście | w deszczu | na dachu
  | obiema rękami | pod jabłonią | przy ogniu | między drzwiami | bez słowa
  | przed muzeum | na końcu ulicy | w lesie | na dworcu | w środku wsi | u rodziców
  | w kuchni | nad jeziorem | z czystej radości | po raz pierwszy
when = jutro | dzisiaj | co wieczór | wczoraj rano | przed śniadaniem | w piątek
  | po filmie | natychmiast | od pięciu tygodni | dwa razy w roku | w lipcu
  | o czwartej | zimą | w poniedziałek
say = myślę | wszyscy wiedzą | mówią | wiesz przecież | wydaje się | zapomniałem
  | gazeta pisze | obiecuję
ask = dlaczego | jak | kiedy | gdzie | po co
tag = prawda | pamiętasz | czyż nie
feel = smutno | wesoło | dobrze | źle | ciepło | zimno | cudownie | strasznie
  | spokojnie | dziwnie
wow = och | mój Boże | hura | brawo | ojej | no proszę | niestety | uwaga
hello = cześć | dzień dobry | dobry wieczór | witaj | do widzenia | dobranoc
name = Ewa | Paweł | Zofia | Jerzy | Maja | Łukasz | Wojtek | Bożena | Grażyna
  | Hubert | Szymon
yes = tak | oczywiście | może | chyba tak | czemu nie | wcale nie | na pewno | nigdy
number = pięć | sześć | siedem | osiem | dziewięć | dziesięć | jedenaście | dwanaście
  | piętnaście | dwadzieścia {digit} | czterdzieści {digit} | osiemdziesiąt {digit}
  | sto
digit = pięć | sześć | siedem | osiem | dziewięć | dwa | trzy | cztery
once = wiele lat temu | pewnego wieczoru | zeszłej zimy | dawno temu | w moje urodziny
""")
