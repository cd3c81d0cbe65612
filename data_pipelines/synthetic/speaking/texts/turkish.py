"""Turkish: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar


def _upper(letter: str) -> str:
  return 'İ' if letter == 'i' else letter.upper()


GRAMMAR = Grammar(
  """
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who} {thing} {did}. | {who} {where} {thing} {did}.
  | {when} {who} {thing} {did}. | {who} {thing} {did}, ama {who} {thing} {did}.
  | {who} {where} {goes}.
told = {say} ki {who} {where} {thing} {did}. | {say} ki {who} {where} {goes}.
question = {who} {ask} {thing} {did}? | {when} {thing} {ask} {did}?
  | {who} {thing} {did}, {tag}? | {who} {where} {goes}, {tag}?
cry = {wow}, {who} {thing} {did}! | {wow}, ne kadar {feel}!
  | {who} {when} {goes}, {wow}!
order = lütfen {when} {thing} {do}. | {where} {thing} {do}, sonra {thing} {do}!
  | {name}, {thing} {do}!
talk = {hello}, {name}! nasılsın? {feel}, {yes}.
  | {name}, {thing} {do}! {yes}, {when}.
  | "{wow}," dedi {name}, "{who} {thing} {did}."
  | teşekkürler, {name}, {who} {thing} {did}.
  | özür dilerim, {name}, {who} {thing} {did}.
sums = {number} kitap ve {number} elma {where}.
  | numara {digit}, {digit}, {digit}, {digit}, {digit}.
  | {who} {number} liraya {thing} {did}. | {when} {number} kişi geldi.
brief = {who} {when} {goes}. | {hello}, {name}! | {feel} mi? {yes}! | {thing} lütfen.
story = {once} {who} {where} {thing} {did}, ve {who} {thing} {did}.
  | {once} {who} çok {feel} idi. sonra {who} {thing} {did}, çünkü {who} {thing} {did}.
who = kardeşim | annen | fırıncı | genç bir çiftçi | yaşlı ressam | belediye başkanı
  | Barış | komşumuz | kedi | pilot | hâkim | aşçı | ünlü bir şair | küçük çocuk
  | balıkçı | koro | patronum | mavili kadın | öğretmen | yorgun garson | biri
  | büyükanne | Mehmet Bey | avukat | itfaiyeci
did = aldı | boyadı | buldu | açtı | unuttu | anlattı | ölçtü | getirdi | topladı
  | izledi | karıştırdı | seçti | çizdi | katladı | yıkadı | kaybetti | itti
  | paylaştı | attı | sevdi | yaptı | aradı | sattı | sakladı
do = al | boya | bul | aç | unut | anlat | ölç | getir | topla | izle | karıştır | seç
  | çiz | katla | yıka | it | paylaş | at | yap | ara | sat | sakla
goes = yürüyor | koşuyor | bekliyor | uyuyor | gülüyor | şarkı söylüyor | dans ediyor
  | çalışıyor | yüzüyor | ağlıyor | düşünüyor | oturuyor
thing = {object} | {adj} {object} | {number} {adj} {object} | şu {object}
  | bu {adj} {object}
adj = kırmızı | yumuşak | ağır | kırık | sıcak | ucuz | yabancı | ünlü | mavi | güzel
  | boş | büyük | taze | kalın | dar | parlak | yuvarlak | acı | eski | küçük | altın
object = kutuyu | haritayı | gemiyi | şemsiyeyi | piyanoyu | mantarı | fotoğrafı
  | pencereyi | kitabı | sandalyeyi | bisikleti | havluyu | kapıyı | balığı | aynayı
  | köprüyü | çorbayı | lambayı | mektubu | bavulu | gitarı | saati | çiçeği | elmayı
  | ayakkabıyı | şapkayı | yumurtayı | şiiri | ekmeği | bıçağı
where = limanın üstünde | dükkânın arkasında | eski köprünün yanında | yağmurda
  | çatıda | iki eliyle | elma ağacının altında | ateşin başında | iki kapı arasında
  | müzenin önünde | sokağın sonunda | ormanda | istasyonda | köyün ortasında
  | mutfakta | göl kıyısında | sevinçten | ilk kez
when = yarın | bugün | her akşam | dün sabah | kahvaltıdan önce | cuma günü
  | filmden sonra | hemen | beş haftadır | yılda iki kez | temmuzda | saat dörtte
  | kışın | pazartesi
say = inanıyorum | umuyoruz | diyorlar | biliyorsun | öyle görünüyor | herkes sanıyor
  | gazete yazıyor
ask = neden | nasıl | ne zaman | nerede | kiminle
tag = değil mi | öyle mi | hatırlıyor musun
feel = üzgün | mutlu | kızgın | gururlu | aç | cesur | sakin | komik | harika
  | korkunç
wow = ah | aman Allahım | yaşasın | bravo | eyvah | vay canına | ne sürpriz
hello = merhaba | günaydın | iyi akşamlar | hoş geldin | güle güle | iyi geceler
name = Emine | Can | Zeynep | Uğur | Ayşe | Mustafa | Özlem | Veli | Gülşen | Hüseyin
yes = evet | tabii ki | belki | sanırım | neden olmasın | hayır, asla | elbette
number = iki | üç | dört | beş | altı | yedi | sekiz | dokuz | on | on {digit}
  | yirmi {digit} | kırk {digit} | yüz
digit = iki | üç | dört | beş | altı | yedi | sekiz | dokuz
once = yıllar önce | bir akşam | geçen kış | çok eskiden | doğum günümde
""",
  upper=_upper,
)
