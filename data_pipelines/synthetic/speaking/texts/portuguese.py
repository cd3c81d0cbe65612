"""Portuguese: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} {did} {thing}. | {who} {did} {thing} {where}.
  | {when} {who} {did} {thing}. | {who} {did} {thing}, mas {who} {did} {thing}.
  | {who} {goes} {where}. | {where}, {who} nunca {did} {thing}.
told = {say} que {who} {did} {thing} {where}. | {say} que {who} {goes} {where}.
  | {say} que {can} {do} {thing} {when}.
question = {ask} {who} {did} {thing}? | {who} {did} {thing} {where}?
  | {can} {do} {thing} {when}? | {who} {did} {thing}, {tag}? | onde está {thing}?
cry = {wow}, {who} {did} {thing}! | {wow}, {thing}! | como é {feel} {thing}!
order = é preciso {do} {thing} {when}. | vamos {do} {thing} {where}.
  | por favor, {do} {thing} {when}. | primeiro {do} {thing} e depois {do} {thing}.
talk = {hello}, {name}! como está {who}? {feel}, {yes}.
  | {name}, {can} {do} {thing}? {yes}, {when}.
  | "{wow}", disse {name}, "{who} {did} {thing}".
  | obrigado, {name}, {thing} é {feel}. | desculpe, {name}, {who} {did} {thing}.
  | você gosta disso? {yes}, mas {thing} é {feel}.
sums = {number} livros e {number} maçãs {where}.
  | {who} pagou {number} reais por {thing}.
  | o número é {digit}, {digit}, {digit}, {digit}, {digit}.
  | são {digit} e {number}, {name}. | {when} {who} {did} {number} barcos.
brief = {who} {goes} {when}. | {hello}, {name}! | {feel}? {yes}! | {thing}, por favor.
story = {once} {who} {did} {thing} {where}, e {who} {did} {thing}.
  | {once} {who} era muito {feel}. depois {who} {did} {thing}, porque {who}
    {did} {thing}.
  | quando {who} {did} {thing}, {who} {goes} {where}.
can = podemos | queremos | devemos | podem | você quer | posso
who = meu irmão | sua mãe | o padeiro | uma jovem fazendeira | o velho pintor
  | a prefeita | Bárbara | nosso vizinho | o gato | o piloto | Tomás | a juíza
  | o cozinheiro | um poeta famoso | o menino pequeno | o pescador | o coro
  | meu chefe | a mulher de azul | a professora | um garçom cansado | a moça ao lado
  | alguém | a avó | o senhor Gonçalves | a advogada | o bombeiro
did = comprou | moveu | pintou | encontrou | abriu | esqueceu | descreveu | mediu
  | trouxe | apanhou | olhou | misturou | escolheu | desenhou | dobrou | lavou
  | perdeu | empurrou | dividiu | jogou fora | emprestou | amou | construiu | procurou
  | vendeu | provou | escondeu | encheu | seguiu
do = comprar | mover | pintar | encontrar | abrir | esquecer | descrever | medir
  | trazer | apanhar | olhar | misturar | escolher | desenhar | dobrar | lavar
  | empurrar | dividir | construir | procurar | vender | provar | esconder | encher
  | seguir
goes = caminha | corre | espera | dorme | ri | canta | dança | trabalha | nada | sonha
  | chora | volta
thing = o {m} | um {m} {adj} | a {f} | uma {f} {adj} | meu {m} | sua {f} {adj}
  | esse {m} {adj} | esta {f} | os {plural} | {number} {plural} | seus {plural}
  | aquele {m}
adj = verde | grande | azul | frágil | enorme | suave | forte | alegre | elegante
  | incrível | útil | horrível | brilhante | doce | especial | simples | quente
  | pobre | diferente | jovem
m = barco | livro | mapa | piano | queijo | jardim | chapéu | balão | peixe | garfo
  | espelho | casaco | pão | café | bolo | trem | sapato | fogo | copo | ovo | perfume
  | violino | cogumelo | cavalo | tambor
f = janela | caixa | lua | bicicleta | flor | sopa | cadeira | lâmpada | porta | pena
  | carta | ponte | guitarra | maçã | mesa | mala | foto | canção | câmera | laranja
  | roda | xícara | chave
plural = livros | barcos | mapas | sapatos | balões | pássaros | bolos | ovos
  | cavalos | cogumelos | queijos | botões | copos | peixes | poemas | anéis
where = sobre o porto | atrás da loja | perto da ponte velha | debaixo da chuva
  | no telhado | com as duas mãos | debaixo da macieira | junto ao fogo
  | entre duas portas | sem uma palavra | em frente ao museu | no fim da rua
  | na floresta | na estação | no meio da aldeia | na casa dos meus pais | na cozinha
  | à beira do lago | de pura alegria | pela primeira vez
when = amanhã | hoje | toda noite | ontem de manhã | antes do café | na sexta-feira
  | depois do filme | agora | há cinco semanas | duas vezes por ano | em julho
  | às quatro | no inverno | na segunda-feira
say = acho | todos esperamos | dizem | você sabe | parece | esqueci
  | as pessoas pensam | o jornal diz | prometo | minha irmã jura
ask = por que | como | quando | onde | com quem | para que
tag = não é | certo | lembra | verdade
feel = triste | feliz | gentil | valente | terrível | incrível | forte | alegre
  | horrível | admirável
wow = oh | meu Deus | viva | bravo | puxa | nossa | que surpresa | ai | uau
hello = olá | bom dia | boa noite | bem-vindo | adeus | até logo
name = Emma | Paulo | Lúcia | Sofia | Jorge | Maíra | João | Hugo | Vítor | Beatriz
  | Guilherme | Conceição
yes = sim | claro que sim | talvez | acho que sim | por que não | de jeito nenhum
  | com certeza | nunca
number = dois | três | quatro | cinco | seis | sete | oito | nove | dez | onze | doze
  | quinze | trinta e {digit} | quarenta e {digit} | oitenta e {digit} | cem
digit = dois | três | quatro | cinco | seis | sete | oito | nove
once = há muitos anos | numa noite de chuva | no inverno passado | no meu aniversário
  | há muito tempo
""")
