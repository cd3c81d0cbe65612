"""German: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} {has} {thing} {done}. | {who} {has} {when} {thing} {done}.
  | {when} {has} {who} {thing} {where} {done}. | {who} {goes} {where}.
  | {who} {has} {thing} {done}, aber {who} {has} {thing} {done}.
told = {say}, dass {who} {where} {thing} {done} {has}.
  | {say}, dass {who} {when} {thing} {done} {has}.
  | {who} {goes} {where}, weil {who} {thing} {done} {has}.
question = {ask} {has} {who} {thing} {done}? | {has} {who} {when} {thing} {done}?
  | {can} {we} {when} {thing} {do}? | {ask} {can} {we} {where} {thing} {do}?
  | {who} {has} {thing} {done}, {tag}?
cry = {wow}, {who} {has} {thing} {done}! | {wow}, {thing}!
  | wie {feel} {who} {when} war!
order = bitte {thing} {when} {do}! | lass uns {where} {thing} {do}.
  | niemals {thing} {where} {do}!
talk = {hello}, {name}! wie geht es? {feel} und {feel}.
  | {name}, {can} {we} {thing} {do}? {yes}, {when}.
  | „{wow}“, sagte {name}, „{who} {has} {thing} {done}.“
  | danke, {name}, {who} ist {feel}.
  | entschuldigung, {name}, {who} {has} {thing} {done}.
  | {yes}, {when} {can} {we} {thing} {do}.
sums = {number} Bücher und {number} Äpfel {where}.
  | es ist {number} Uhr {number}, {name}.
  | {who} {has} {number} Euro für {thing} bezahlt.
  | die Nummer ist {digit}, {digit}, {digit}, {digit}, {digit}.
  | {when} {has} {who} {number} Briefe {done}.
brief = {who} {goes} {when}. | {hello}, {name}! | {feel}? {yes}! | {thing}, bitte.
story = {once} {has} {who} {where} {thing} {done}, und {who} {has} {when}
    {thing} {done}.
  | {who} war {feel}, denn {who} {has} {thing} {done}. dann {goes} {who} {where}.
has = hat *3 | hatte
can = können | wollen | sollten | müssen | dürfen
we = wir | sie | beide | alle | die Kinder | Papa und Mama
who = mein Bruder | meine Mutter | der Bäcker | die junge Bäuerin | der alte Maler
  | die Bürgermeisterin | Barbara | unser Nachbar | die Katze | der Pilot | Thomas
  | niemand | die Richterin | der Koch | eine berühmte Dichterin | der kleine Junge
  | der Fischer | der Chor | mein Chef | die Ärztin | die neue Lehrerin
  | ein müder Kellner | das Mädchen von nebenan | jemand | Großmutter | Herr Schröder
done = gekauft | bewegt | gemalt | gefunden | geöffnet | vergessen | beschrieben
  | gemessen | mitgebracht | aufgehoben | beobachtet | gemischt | gewählt | gezeichnet
  | gefaltet | gewaschen | verloren | geschoben | geteilt | weggeworfen | geliehen
  | geliebt | gebaut | fotografiert | gesucht | verkauft | probiert
do = kaufen | bewegen | malen | finden | öffnen | vergessen | beschreiben | messen
  | mitbringen | aufheben | beobachten | mischen | wählen | zeichnen | falten
  | waschen | schieben | teilen | wegwerfen | bauen | suchen | verkaufen | probieren
  | umarmen | bewundern
goes = geht | läuft | fährt | wartet | schläft | lacht | steht | singt | tanzt
  | arbeitet | schwimmt | bleibt
thing = den {m} | einen {adj}en {m} | die {f} | eine {adj}e {f} | das {n}
  | ein {adj}es {n} | {poss}en {m} | {poss}e {f} | {poss} {n}
  | {number} {adj}e {plural} | die {adj}en {plural}
poss = mein | dein | sein | unser | ihr
adj = rot | weich | schwer | kaputt | warm | billig | fremd | glatt | berühmt | blau
  | schön | leer | riesig | frisch | braun | dick | laut | königlich | schmal | hell
  | rund | bitter | uralt | winzig | perfekt | golden
m = Baum | Apfel | Schlüssel | Brief | Ball | Schirm | Stuhl | Fisch | Mond | Mantel
  | Kuchen | Spiegel | Löffel | Teppich | Koffer | Pilz | Garten | Zug | Käse | Frosch
f = Karte | Lampe | Gabel | Blume | Brücke | Uhr | Tasse | Suppe | Flöte | Tür
  | Brille | Zeitung | Maus | Glocke | Feder | Kamera | Schachtel | Pfanne | Wolke
  | Trommel
n = Boot | Buch | Fenster | Haus | Bild | Messer | Fahrrad | Klavier | Handtuch
  | Gedicht | Rad | Brot | Hemd | Geschenk | Pferd | Ei | Schloss | Fußballtor | Lied
  | Wasser
plural = Bäume | Äpfel | Boote | Bücher | Schuhe | Blumen | Fenster | Pilze | Briefe
  | Vögel | Kuchen | Mäuse | Bälle | Häuser | Lieder | Knöpfe | Schafe | Gurken
where = über dem Hafen | hinter dem Laden | neben der alten Brücke
  | im strömenden Regen | auf dem Dach | mit beiden Händen | unter dem Apfelbaum
  | am offenen Feuer | zwischen zwei Zimmern | ohne ein Wort | vor dem Museum
  | am Ende der Straße | im Wald | auf dem Bahnhof | mitten im Dorf
  | bei den Großeltern | in der Küche | am blauen See | aus lauter Freude
  | hoch oben auf dem Berg
when = morgen | heute | jeden Abend | gestern früh | vor dem Frühstück | am Freitag
  | nach dem Film | sofort | seit fünf Wochen | zweimal im Jahr | im Juli
  | um halb vier | im Winter | am Montagmorgen | endlich
say = ich glaube | wir hoffen alle | man sagt | du weißt ja | es scheint
  | ich habe vergessen | alle behaupten | die Zeitung schreibt | ich verspreche
  | niemand ahnt
ask = warum | wie | wo | wann | wozu | womit
tag = nicht wahr | oder | stimmt das
feel = müde | froh | böse | stolz | hungrig | tapfer | ruhig | glücklich | traurig
  | wunderbar | komisch | wütend
wow = oh | ach du meine Güte | hurra | bravo | um Himmels willen | na so was | juhu
  | oje
hello = hallo | guten Morgen | guten Abend | willkommen | auf Wiedersehen | grüß dich
name = Emma | Bob | Lukas | Sophie | Jürgen | Maja | Paul | Ute | Viktor | Käthe
  | Moritz | Frau Müller
yes = ja | natürlich | vielleicht | ich glaube schon | warum nicht | auf jeden Fall
  | nein, aber vielleicht
number = zwei | drei | vier | fünf | sechs | sieben | acht | neun | zehn | elf | zwölf
  | fünfzehn | vierzig | {digit}undzwanzig | {digit}undfünfzig | {digit}undachtzig
  | hundert
digit = zwei | drei | vier | fünf | sechs | sieben | acht | neun
once = vor vielen Jahren | eines Abends | letzten Winter | vor langer Zeit
  | an meinem Geburtstag
""")
