"""French: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar(
  """
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} a {done} {thing}. | {who} a {done} {thing} {where}.
  | {when}, {who} a {done} {thing}.
  | {who} a {done} {thing}, mais {who} a {done} {thing}. | {who} {goes} {where}.
  | {where}, {who} a toujours {done} {thing}.
told = {say} que {who} a {done} {thing} {where}. | {say} que {who} {goes} {where}.
  | {say} que nous {can} {do} {thing} {when}.
question = {ask} est-ce que {who} a {done} {thing}?
  | est-ce que {who} a {done} {thing} {where}? | vous {cann} {do} {thing} {when}?
  | {who} a {done} {thing}, {tag}? | où est {thing}?
cry = {wow}, {who} a {done} {thing}! | {wow}, {thing}! | comme {thing} est {feel}!
order = il faut {do} {thing} {when}. | veuillez {do} {thing} {where}.
  | ne jamais {do} {thing} {where}! | on va {do} {thing} {when}, puis {do} {thing}.
talk = {hello}, {name}! comment ça va? {yes}, {when}.
  | {name}, vous {cann} {do} {thing}? {yes}.
  | « {wow}, » dit {name}, « {who} a {done} {thing}. »
  | merci, {name}, {thing} est {feel}. | pardon, {name}, {who} a {done} {thing}.
  | tu aimes {thing}? {yes}, mais c'est {feel}.
sums = {number} livres et {number} pommes {where}.
  | {who} a payé {number} euros pour {thing}.
  | le numéro est {digit}, {digit}, {digit}, {digit}, {digit}.
  | il est {digit} heures {number}, {name}. | il y a {number} bateaux {where}.
brief = {who} {goes} {when}. | {hello}, {name}! | {feel}? {yes}!
  | {thing}, s'il vous plaît.
story = {once}, {who} a {done} {thing} {where}, et {who} a {done} {thing}.
  | {once}, {who} était {feel}. puis {who} a {done} {thing}, parce que {who} a
    {done} {thing}.
  | quand {who} a {done} {thing}, {who} {goes} {where}.
can = pouvons | voulons | devons | allons
cann = pouvez | voulez | devez | allez
who = mon frère | ta mère | le boulanger | une jeune fermière | le vieux peintre
  | la maire | Barbara | notre voisin | le chat | le pilote | Thomas
  | personne d'autre | la juge | le chef | un poète célèbre | le petit garçon
  | le pêcheur | la chorale | mon patron | la femme en bleu | l'institutrice
  | un serveur fatigué | la fille d'à côté | quelqu'un | grand-mère | monsieur Dubois
  | l'avocate
done = acheté | déplacé | peint | trouvé | ouvert | oublié | décrit | mesuré | apporté
  | ramassé | regardé | mélangé | choisi | dessiné | plié | lavé | perdu | poussé
  | partagé | jeté | emprunté | aimé | construit | photographié | cherché | vendu
  | goûté | caché | rempli | suivi
do = acheter | peindre | trouver | ouvrir | oublier | décrire | mesurer | apporter
  | ramasser | regarder | mélanger | choisir | dessiner | plier | laver | pousser
  | partager | jeter | emprunter | construire | chercher | vendre | goûter | cacher
  | remplir | suivre
goes = marche | court | attend | dort | rit | chante | danse | travaille | nage
  | reste | rêve | pleure | revient
thing = le {m} | un {m} {adj} | la {f} | une {f} {adj} | mon {m} | ma {f}
  | notre {m} {adj} | leur {f} {adj} | les {plural} | {number} {plural} | vos {plural}
  | ce {m} {adj} | cette {f}
adj = rouge | jaune | large | fragile | bizarre | immense | tranquille | énorme
  | moderne | sombre | jeune | superbe | magnifique | rapide | vide | utile | ridicule
  | étrange | solide | propre | humide | rose
m = gâteau | bateau | livre | tableau | parapluie | piano | champignon | fromage
  | jardin | chapeau | vélo | ballon | fauteuil | poisson | couteau | miroir | manteau
  | pont | café | tapis | bouquet | train | feu
f = carte | fenêtre | boîte | lune | voiture | fleur | soupe | chaise | montre | lampe
  | porte | cloche | plume | lettre | guitare | pomme | table | valise | chaussure
  | photo | chanson | bague | souris
plural = livres | pommes | bateaux | champignons | fleurs | lettres | fenêtres
  | ballons | oiseaux | chaussures | gâteaux | photos | boîtes | plumes | cloches
  | poissons | œufs | genoux
where = au-dessus du port | derrière la boutique | près du vieux pont | sous la pluie
  | sur le toit | avec les deux mains | sous le pommier | au coin du feu
  | entre deux portes | sans un mot | devant le musée | au bout de la rue
  | dans la forêt | à la gare | au milieu du village | chez mes parents
  | dans la cuisine | au bord du lac | par pure joie | pour la première fois
when = demain | aujourd'hui | chaque soir | hier matin | avant le déjeuner | vendredi
  | après le film | tout de suite | depuis cinq semaines | deux fois par an
  | en juillet | à quatre heures | en hiver | lundi
say = je crois | nous espérons tous | on dit | tu sais bien | il paraît | j'ai oublié
  | tout le monde pense | le journal écrit | je vous promets | ma sœur jure
ask = pourquoi | comment | où | quand | avec qui | combien de fois
tag = n'est-ce pas | non | tu vois | c'est vrai
feel = triste | fatigué | calme | content | jaloux | bizarre | drôle | formidable
  | affreux | timide | heureux
wow = oh | mon Dieu | hourra | bravo | oh là là | zut | quelle surprise | tant mieux
  | hélas
hello = bonjour | bonsoir | salut | bienvenue | au revoir | coucou | bonne nuit
name = Emma | Hugo | Louis | Sophie | Aurélie | Maurice | Paul | Juliette | Victor
  | Bérénice | Guillaume
yes = oui | bien sûr | peut-être | je crois que oui | pourquoi pas | pas du tout
  | volontiers | jamais
number = deux | trois | quatre | cinq | six | sept | huit | neuf | dix | onze | douze
  | quinze | vingt-{digit} | quarante-{digit} | soixante-{digit} | quatre-vingts
  | cent
digit = deux | trois | quatre | cinq | six | sept | huit | neuf
once = il y a longtemps | un soir d'orage | l'hiver dernier
  | le jour de mon anniversaire | autrefois
""",
  fixes=((r'\b(qu)e (?=(?:un|une|on|il|elle)\b)', r"\1'"),),
)
