"""Italian: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} ha {done} {thing}. | {who} ha {done} {thing} {where}.
  | {when} {who} ha {done} {thing}.
  | {who} ha {done} {thing}, ma {who} ha {done} {thing}. | {who} {goes} {where}.
  | {where}, {who} non ha mai {done} {thing}.
told = {say} che {who} ha {done} {thing} {where}. | {say} che {who} {goes} {where}.
  | {say} che {can} {do} {thing} {when}.
question = {ask} {who} ha {done} {thing}? | {who} ha {done} {thing} {where}?
  | {can} {do} {thing} {when}? | {who} ha {done} {thing}, {tag}? | dov'è {thing}?
cry = {wow}, {who} ha {done} {thing}! | {wow}, {thing}! | com'è {feel} {thing}!
order = bisogna {do} {thing} {when}. | andiamo a {do} {thing} {where}.
  | per favore, {do} {thing} {when}. | prima {do} {thing} e poi {do} {thing}.
talk = {hello}, {name}! come sta {who}? {feel}, {yes}.
  | {name}, {can} {do} {thing}? {yes}, {when}.
  | «{wow}», disse {name}, «{who} ha {done} {thing}».
  | grazie, {name}, {thing} è {feel}. | scusa, {name}, {who} ha {done} {thing}.
  | ti piace {thing}? {yes}, ma è {feel}.
sums = {number} libri e {number} mele {where}.
  | {who} ha pagato {number} euro per {thing}.
  | il numero è {digit}, {digit}, {digit}, {digit}, {digit}.
  | sono le {digit} e {number}, {name}. | {when} {who} ha {done} {number} barche.
brief = {who} {goes} {when}. | {hello}, {name}! | {feel}? {yes}!
  | {thing}, per favore.
story = {once} {who} ha {done} {thing} {where}, e {who} ha {done} {thing}.
  | {once} {who} era {feel}. poi {who} ha {done} {thing}, perché {who} ha
    {done} {thing}.
  | quando {who} ha {done} {thing}, {who} {goes} {where}.
can = possiamo | vogliamo | dobbiamo | possono | vuoi | posso
who = mio fratello | tua madre | il fornaio | una giovane contadina
  | il vecchio pittore | la sindaca | Barbara | il nostro vicino | il gatto
  | il pilota | Tommaso | la giudice | il cuoco | un poeta famoso | il bambino piccolo
  | il pescatore | il coro | il mio capo | la donna in blu | la maestra
  | un cameriere stanco | la ragazza accanto | qualcuno | la nonna | il signor Bianchi
  | il pompiere
done = comprato | spostato | dipinto | trovato | aperto | dimenticato | descritto
  | misurato | portato | raccolto | guardato | mescolato | scelto | disegnato
  | piegato | lavato | perso | spinto | diviso | buttato | prestato | amato
  | costruito | cercato | venduto | assaggiato | nascosto | riempito | seguito
do = comprare | spostare | dipingere | trovare | aprire | dimenticare | descrivere
  | misurare | portare | raccogliere | guardare | mescolare | scegliere | disegnare
  | piegare | lavare | spingere | buttare | costruire | cercare | vendere | assaggiare
  | nascondere | riempire | seguire
goes = cammina | corre | aspetta | dorme | ride | canta | balla | lavora | nuota
  | sogna | piange | torna
thing = il {m} | un {m} {adj} | la {f} | una {f} {adj} | il mio {m} | la tua {f} {adj}
  | quel {m} {adj} | questa {f} | i {plural} | {number} {plural} | i suoi {plural}
adj = verde | grande | blu | fragile | enorme | dolce | forte | elegante | incredibile
  | utile | orribile | brillante | speciale | semplice | caldissimo | diverso | veloce
  | celeste | gigante | rosa
m = libro | battello | pianoforte | formaggio | giardino | cappello | pallone | pesce
  | coltello | cappotto | ponte | caffè | treno | fuoco | guanto | bicchiere | profumo
  | violino | fungo | cavallo | piatto | quadro
f = finestra | mappa | scatola | luna | bicicletta | zuppa | sedia | lampada | porta
  | campana | piuma | lettera | chitarra | mela | tavola | valigia | foto | canzone
  | barca | ruota | tazza | sciarpa | chiave
plural = libri | ponti | pesci | cappelli | palloni | funghi | cavalli | bicchieri
  | poemi | fiori | gatti | bottoni | piatti | quadri | formaggi | tamburi
where = sopra il porto | dietro il negozio | vicino al vecchio ponte
  | sotto la pioggia | sul tetto | con le due mani | sotto il melo | accanto al fuoco
  | fra due porte | senza una parola | davanti al museo | in fondo alla strada
  | nel bosco | alla stazione | in mezzo al paese | dai miei genitori | in cucina
  | in riva al lago | per pura gioia | per la prima volta
when = domani | oggi | ogni sera | ieri mattina | prima di colazione | venerdì
  | dopo il film | subito | da cinque settimane | due volte all'anno | a luglio
  | alle quattro | in inverno | lunedì
say = credo | speriamo tutti | dicono | lo sai | sembra | ho dimenticato
  | la gente pensa | il giornale scrive | ti prometto | mia sorella giura
ask = perché | come mai | quando | dove | con chi | quante volte
tag = vero | no | ti ricordi | giusto
feel = triste | felice | gentile | terribile | incredibile | forte | allegro
  | orribile | debole | meraviglioso
wow = oh | mamma mia | evviva | bravo | accidenti | che sorpresa | ahimè | però
  | caspita
hello = ciao | buongiorno | buonasera | benvenuto | arrivederci | a presto
name = Emma | Paolo | Lucia | Sofia | Giorgio | Chiara | Ugo | Vittorio | Beatrice
  | Guglielmo | Giuseppe
yes = sì | certo | forse | credo di sì | perché no | per niente | volentieri | mai
number = due | tre | quattro | cinque | sei | sette | otto | nove | dieci | undici
  | dodici | quindici | trenta{digit} | quaranta{digit} | cinquanta{digit} | cento
digit = due | tre | quattro | cinque | sei | sette | nove
once = molti anni fa | una sera di tempesta | l'inverno scorso | al mio compleanno
  | tanto tempo fa
""")
