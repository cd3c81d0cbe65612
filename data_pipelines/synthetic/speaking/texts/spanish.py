"""Spanish: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} {did} {thing}. | {who} {did} {thing} {where}.
  | {when} {who} {did} {thing}. | {who} {did} {thing}, pero {who} {did} {thing}.
  | {who} {goes} {where}. | {where}, {who} nunca {did} {thing}.
told = {say} que {who} {did} {thing} {where}. | {say} que {who} {goes} {where}.
  | {say} que {can} {do} {thing} {when}.
question = ¿{ask} {who} {did} {thing}? | ¿{who} {did} {thing} {where}?
  | ¿{can} {do} {thing} {when}? | {who} {did} {thing}, ¿{tag}? | ¿dónde está {thing}?
cry = ¡{wow}, {who} {did} {thing}! | ¡{wow}, {thing}! | ¡qué {feel} es {thing}!
order = hay que {do} {thing} {when}. | vamos a {do} {thing} {where}.
  | por favor, {do} {thing} {when}. | primero {do} {thing} y luego {do} {thing}.
talk = ¡{hello}, {name}! ¿cómo está {who}? {feel}, {yes}.
  | {name}, ¿{can} {do} {thing}? {yes}, {when}.
  | —{wow} —dijo {name}—, {who} {did} {thing}. | gracias, {name}, {thing} es {feel}.
  | perdón, {name}, {who} {did} {thing}. | ¿te gusta {thing}? {yes}, pero es {feel}.
sums = {number} libros y {number} manzanas {where}.
  | {who} pagó {number} pesos por {thing}.
  | el número es {digit}, {digit}, {digit}, {digit}, {digit}.
  | son las {digit} y {number}, {name}. | {when} {who} {did} {number} barcos.
brief = {who} {goes} {when}. | ¡{hello}, {name}! | ¿{feel}? ¡{yes}!
  | {thing}, por favor.
story = {once} {who} {did} {thing} {where}, y {who} {did} {thing}.
  | {once} {who} era muy {feel}. luego {who} {did} {thing}, porque {who} {did} {thing}.
  | cuando {who} {did} {thing}, {who} {goes} {where}.
can = podemos | queremos | debemos | pueden | quieres | puedo
who = mi hermano | tu madre | el panadero | una joven granjera | el viejo pintor
  | la alcaldesa | Bárbara | nuestro vecino | el gato | el piloto | Tomás | la jueza
  | el cocinero | un poeta famoso | el niño pequeño | el pescador | el coro | mi jefe
  | la mujer de azul | la maestra | un camarero cansado | la chica de al lado
  | alguien | la abuela | el señor Gómez | la abogada | el bombero
did = compró | movió | pintó | encontró | abrió | olvidó | describió | midió | trajo
  | recogió | miró | mezcló | eligió | dibujó | dobló | lavó | perdió | empujó
  | compartió | tiró | prestó | amó | construyó | buscó | vendió | probó | escondió
  | llenó | siguió | fotografió
do = comprar | mover | pintar | encontrar | abrir | olvidar | describir | medir
  | traer | recoger | mirar | mezclar | elegir | dibujar | doblar | lavar | empujar
  | compartir | tirar | construir | buscar | vender | probar | esconder | llenar
  | seguir
goes = camina | corre | espera | duerme | se ríe | canta | baila | trabaja | nada
  | sueña | llora | vuelve
thing = el {m} | un {m} {adj} | la {f} | una {f} {adj} | mi {m} | tu {f} {adj}
  | ese {m} {adj} | esta {f} | los {plural} | {number} {plural} | sus {plural}
  | aquel {m}
adj = verde | grande | azul | frágil | enorme | suave | fuerte | alegre | elegante
  | increíble | útil | horrible | brillante | dulce | gris | especial | simple
  | caliente | pobre | diferente
m = barco | libro | mapa | paraguas | piano | queso | jardín | sombrero | balón
  | pescado | cuchillo | espejo | abrigo | puente | café | pastel | tren | zapato
  | fuego | guante | vaso | huevo | perfume | violín
f = ventana | caja | luna | bicicleta | flor | sopa | silla | lámpara | puerta
  | campana | pluma | carta | guitarra | manzana | mesa | maleta | foto | canción
  | cámara | naranja | rueda | taza | bufanda
plural = libros | barcos | mapas | zapatos | globos | pájaros | pasteles | huevos
  | caballos | paraguas | hongos | quesos | botones | vasos | peces | poemas
where = sobre el puerto | detrás de la tienda | cerca del puente viejo
  | bajo la lluvia | en el tejado | con las dos manos | bajo el manzano
  | junto al fuego | entre dos puertas | sin una palabra | delante del museo
  | al final de la calle | en el bosque | en la estación | en medio del pueblo
  | en casa de mis padres | en la cocina | a la orilla del lago | de pura alegría
  | por primera vez
when = mañana | hoy | cada noche | ayer por la mañana | antes del desayuno
  | el viernes | después de la película | ahora mismo | desde hace cinco semanas
  | dos veces al año | en julio | a las cuatro | en invierno | el lunes
say = creo | todos esperamos | dicen | ya sabes | parece | olvidé | la gente piensa
  | el periódico dice | te prometo | mi hermana jura
ask = por qué | cómo | cuándo | dónde | con quién | para qué
tag = verdad | no | te acuerdas | a que sí
feel = triste | feliz | amable | valiente | terrible | increíble | fuerte | alegre
  | horrible | admirable | débil
wow = oh | Dios mío | hurra | bravo | caramba | vaya | qué sorpresa | ay | olé
hello = hola | buenos días | buenas noches | bienvenido | adiós | hasta luego
name = Emma | Pablo | Lucía | Sofía | Jorge | Mayra | Paula | Hugo | Víctor | Begoña
  | Guillermo | Íñigo
yes = sí | claro que sí | quizás | creo que sí | por qué no | de ninguna manera
  | por supuesto | nunca
number = dos | tres | cuatro | cinco | seis | siete | ocho | nueve | diez | once
  | doce | quince | treinta y {digit} | cuarenta y {digit} | ochenta y {digit} | cien
digit = dos | tres | cuatro | cinco | seis | siete | ocho | nueve
once = hace muchos años | una noche de tormenta | el invierno pasado
  | en mi cumpleaños | hace mucho tiempo
""")
