"""Mandarin in pinyin with tone numbers (5 is none)."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} {did} le5 {thing}. | {who} {where} {did} le5 {thing}.
  | {when}, {who} {did} le5 {thing}.
  | {who} {did} le5 {thing}, dan4 shi4 {who} {did} le5 {thing}.
  | {who} {where} {goes}.
told = {say}, {who} {where} {did} le5 {thing}. | {say}, {who} {where} {goes}.
  | {say}, wo3 men5 {can} {did} {thing}.
question = {who} {ask} {did} {thing}? | {who} {when} {did} le5 {thing} ma5?
  | wo3 men5 {can} {did} {thing} ma5? | {who} {did} le5 {thing}, {tag}?
cry = {wow}, {who} {did} le5 {thing}! | {wow}, tai4 {feel} le5!
  | {thing} zhen1 {feel}!
order = qing3 {when} {did} {thing}. | wo3 men5 {where} {did} {thing} ba5.
  | xian1 {did} {thing}, zai4 {did} {thing}.
talk = {hello}, {name}! {who} hao3 ma5? hen3 {feel}, {yes}.
  | {name}, ni3 {can} {did} {thing} ma5? {yes}, {when}.
  | {name} shuo1: {wow}, {who} {did} le5 {thing}.
  | xie4 xie4 ni3, {name}, {thing} hen3 {feel}.
  | dui4 bu4 qi3, {name}, {who} {did} le5 {thing}.
sums = {number} ben3 shu1 he2 {number} ge4 ping2 guo3.
  | hao4 ma3 shi4 {digit}, {digit}, {digit}, {digit}, {digit}.
  | {who} hua1 {number} kuai4 qian2 mai3 le5 {thing}.
  | {when} lai2 le5 {number} ge4 ren2.
brief = {who} {when} {goes}. | {hello}, {name}! | {feel} ma5? {yes}!
  | qing3 gei3 wo3 {thing}.
story = {once}, {who} {where} {did} le5 {thing}, {who} {did} le5 {thing}.
  | {once}, {who} hen3 {feel}. hou4 lai2 {who} {did} le5 {thing}, yin1 wei4
    {who} {did} le5 {thing}.
can = ke3 yi3 | ying1 gai1 | bi4 xu1 | xiang3 | neng2
who = wo3 ge1 ge1 | ni3 ma1 ma1 | mian4 bao1 shi1 | nian2 qing1 de5 nong2 min2
  | lao3 hua4 jia1 | shi4 zhang3 | lin2 ju1 | xiao3 mao1 | fei1 xing2 yuan2
  | fa3 guan1 | chu2 shi1 | you3 ming2 de5 shi1 ren2 | xiao3 nan2 hai2 | yu2 fu1
  | he2 chang4 tuan2 | wo3 de5 lao3 ban3 | chuan1 lan2 yi1 fu2 de5 nv3 ren2
  | lao3 shi1 | pi2 juan4 de5 fu2 wu4 yuan2 | ge2 bi4 de5 nv3 hai2 | nai3 nai3
  | wang2 xian1 sheng1 | lv4 shi1 | yi1 sheng1
did = mai3 | ban1 | hua4 | zhao3 | da3 kai1 | wang4 ji4 | miao2 xie3 | ce4 liang2
  | dai4 lai2 | na2 qi3 | guan1 kan4 | xuan3 ze2 | zhe2 die2 | xi3 | diu1 | tui1
  | fen1 xiang3 | jie4 | xiu1 li3 | mai4 | pin3 chang2 | cang2 | pai1 she4
  | bao1 zhuang1
goes = zou3 lu4 | pao3 bu4 | deng3 peng2 you3 | shui4 jiao4 | da4 xiao4 | chang4 ge1
  | tiao4 wu3 | gong1 zuo4 | you2 yong3 | zuo4 meng4 | ku1 | xiu1 xi1
thing = {which} {noun} | {which} {adj} de5 {noun} | {whose} {noun}
  | {whose} {adj} {noun} | {adj} de5 {noun}
which = yi2 ge4 | zhe4 ge5 | na4 ge5 | liang3 ge4 | wu3 ge4 | ji3 ge4 | mei3 ge4
  | xu3 duo1
whose = wo3 de5 | ni3 de5 | ta1 de5 | wo3 men5 de5 | da4 jia1 de5
adj = hong2 se4 | rou2 ruan3 | chen2 zhong4 | wen1 nuan3 | pian2 yi5 | qi2 guai4
  | guang1 hua2 | lan2 se4 | mei3 li4 | kong1 | ju4 da4 | xin1 xian1 | gu3 lao3
  | ming2 liang4 | yuan2 | ku3 | xiao3 | wan2 mei3
noun = he2 zi5 | di4 tu2 | xiao3 chuan2 | yu3 san3 | gang1 qin2 | mo2 gu1
  | zhao4 pian1 | chuang1 hu4 | yi3 zi5 | bei1 zi5 | zi4 xing2 che1 | mao2 jin1
  | zu2 qiu2 | hua1 yuan2 | yue4 liang4 | lan2 zi5 | dian4 ying3 | shi1 | tang1
  | lun2 zi5 | xie2 zi5 | jing4 zi5 | yu2 | qiao2 | xin4 | ping2 guo3 | ji2 ta1
  | mao4 zi5 | ji1 dan4 | shou3 biao3 | dan4 gao1 | feng1 zheng1
where = zai4 gang3 kou3 shang4 mian4 | zai4 shang1 dian4 hou4 mian4
  | zai4 lao3 qiao2 pang2 bian1 | zai4 yu3 li3 | zai4 wu1 ding3 shang4
  | yong4 shuang1 shou3 | zai4 ping2 guo3 shu4 xia4 | zai4 huo3 bian1
  | zai4 liang3 ge4 fang2 jian1 zhi1 jian1 | zai4 bo2 wu4 guan3 qian2 mian4
  | zai4 jie1 dao4 jin4 tou2 | zai4 sen1 lin2 li3 | zai4 che1 zhan4
  | zai4 cun1 zi5 zhong1 jian1 | zai4 chu2 fang2 li3 | zai4 hu2 bian1 | gao1 xing4 di4
  | di4 yi1 ci4 | man4 man4 di4
when = ming2 tian1 | jin1 tian1 | mei3 tian1 wan3 shang4 | zuo2 tian1 zao3 shang4
  | zao3 fan4 yi3 qian2 | xing1 qi1 wu3 | kan4 wan2 dian4 ying3 yi3 hou4 | ma3 shang4
  | yi1 nian2 liang3 ci4 | qi1 yue4 | si4 dian3 zhong1 | dong1 tian1 | xing1 qi1 yi1
say = wo3 xiang1 xin4 | da4 jia1 dou1 xi1 wang4 | you3 ren2 shuo1 | ni3 zhi1 dao4
  | kan4 qi3 lai2 | wo3 wang4 le5 | bao4 zhi3 shang4 shuo1 | wo3 bao3 zheng4
ask = wei4 shen2 me5 | zen3 me5 | shen2 me5 shi2 hou4 | zai4 na3 li3 | gen1 shui2
tag = dui4 bu2 dui4 | shi4 bu2 shi4 | ni3 ji4 de5 ma5
feel = nan2 guo4 | gao1 xing4 | sheng1 qi4 | jiao1 ao4 | e4 | yong3 gan3 | an1 jing4
  | hao3 xiao4 | mei3 hao3 | ke3 pa4 | lei4
wow = o2 | wo3 de5 tian1 | wan4 sui4 | tai4 bang4 le5 | ai1 ya1 | wa5 | zhen1 ke3 xi1
hello = ni3 hao3 | zao3 shang4 hao3 | wan3 shang4 hao3 | huan1 ying2 | zai4 jian4
  | wan3 an1
name = xiao3 ming2 | mei3 ling2 | wei3 qiang2 | fang1 fang1 | yu4 lan2 | zhi4 yong3
  | bao3 luo2 | su1 fei1 | a1 fu2 | chun1 hua1
yes = shi4 de5 | dang1 ran2 | ye3 xu3 | wo3 xiang3 shi4 de5 | wei4 shen2 me5 bu4 ne5
  | yi4 dian3 ye3 bu4 | yi2 ding4 | cong2 lai2 bu4
number = liang3 | san1 | si4 | wu3 | liu4 | qi1 | ba1 | jiu3 | shi2 | shi2 {digit}
  | er4 shi2 {digit} | si4 shi2 {digit} | ba1 shi2 {digit} | yi4 bai3
digit = yi1 | san1 | si4 | wu3 | liu4 | qi1 | ba1 | jiu3
once = hen3 duo1 nian2 yi3 qian2 | you3 yi1 tian1 wan3 shang4 | qu4 nian2 dong1 tian1
  | xiao3 shi2 hou4 | wo3 sheng1 ri4 na4 tian1
""")
