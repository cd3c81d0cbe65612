"""Japanese, in kana: statements, questions, orders, cries and short talks."""

from data_pipelines.synthetic.speaking.grammar import Grammar

GRAMMAR = Grammar("""
S = {plain} *5 | {told} *3 | {question} *3 | {cry} *2 | {order} *2 | {talk} *3
  | {sums} *2 | {brief} | {story} *2
plain = {who}は {thing}を {did}。 | {who}は {where} {thing}を {did}。
  | {when} {who}は {thing}を {did}。
  | {who}は {thing}を {did}が、 {who}は {thing}を {did}。 | {who}は {where} {goes}。
told = {who}は {where} {thing}を {did}と {say}。 | {who}は {where} {goes}と {say}。
question = {who}は {ask} {thing}を {did}か? | {when} {thing}を {did}か?
  | {who}は {thing}を {did}、 {tag}?
cry = {wow}、 {who}が {thing}を {did}よ! | {wow}、 {feel}ですね!
  | {thing}は {feel}ですね!
order = {when} {thing}を {do}ください。 | {where} {thing}を {do}ください。
  | {name}さん、 {thing}を {do}ください。
talk = {hello}、 {name}さん! おげんきですか? {yes}、 {feel}です。
  | {name}さん、 {thing}は どこですか? {where} です。
  | {wow}、 と {name}さんは いいました。 {who}は {thing}を {did}。
  | ありがとう、 {name}さん。 {thing}は {feel}です。
  | すみません、 {name}さん。 {who}が {thing}を {did}。
sums = {number}と {number}は {number}では ありません。
  | ばんごうは {digit}、 {digit}、 {digit}、 {digit}、 {digit} です。
  | {who}は {number}えんで {thing}を {did}。 | {when} {number}にん きました。
brief = {who}は {when} {goes}。 | {hello}、 {name}さん! | {feel}ですか? {yes}!
  | {thing}を おねがいします。
story = {once} {who}は {where} {thing}を {did}。 そして {who}は {thing}を {did}。
  | {once} {who}は とても {feel}でした。 それから {where} {thing}を {did}。
who = わたしの あに | あなたの おかあさん | パンや | わかい のうか | ふるい ともだち
  | しちょう | となりの ひと | ねこ | パイロット | コック | ゆうめいな しじん
  | ちいさい こども | りょうし | わたしの ぶか | あおい ふくの おんなのこ | せんせい
  | つかれた うえいたあ | だれか | おばあさん | やまださん | べんごし | いしゃ
did = かいました | うごかしました | かきました | みつけました | あけました
  | わすれました | はかりました | もってきました | ひろいました | みました
  | まぜました | えらびました | たたみました | あらいました | なくしました
  | おしました | わけました | すてました | かりました | つくりました | さがしました
  | うりました | たべました
do = かって | うごかして | かいて | みつけて | あけて | はかって | もってきて
  | ひろって | みて | まぜて | えらんで | たたんで | あらって | おして | わけて
  | つくって | さがして | うって
goes = あるきます | はしります | まちます | ねます | わらいます | うたいます
  | おどります | はたらきます | およぎます | なきます | かえります | やすみます
thing = {noun} | {adj} {noun} | {whose} {noun} | この {adj} {noun} | あの {noun}
  | {adj} {whose} {noun}
whose = わたしの | あなたの | ともだちの | おとうさんの | みんなの
adj = あかい | やわらかい | おもい | あたたかい | やすい | へんな | あおい
  | うつくしい | おおきい | あたらしい | ふるい | あかるい | まるい | にがい
  | ちいさい | すばらしい | しろい | ながい
noun = はこ | ちず | ふね | かさ | ピアノ | きのこ | しゃしん | まど | ほん | いす
  | コップ | じてんしゃ | タオル | ボール | にわ | つき | かご | えいが | スープ
  | くつ | かがみ | さかな | はし | てがみ | りんご | ギター | ぼうし | たまご
  | とけい | ケーキ | バイオリン | フルーツ
where = みなとの うえで | みせの うしろで | ふるい はしの そばで | あめの なかで
  | やねの うえで | りょうてで | りんごの きの したで | ひの そばで | へやの あいだで
  | びじゅつかんの まえで | みちの おわりで | もりの なかで | えきで
  | むらの まんなかで | だいどころで | みずうみで | よろこんで | はじめて | ゆっくり
when = あした | きょう | まいばん | きのうの あさ | あさごはんの まえに | きんようびに
  | えいがの あとで | すぐに | いちねんに にかい | しちがつに | よじに | ふゆに
  | げつようびに
say = おもいます | みんなが いいます | しんぶんに ありました | ききました
  | やくそくします
ask = なぜ | どうして | いつ | どこで | だれと
tag = そうでしょう | ほんとうですか | おぼえていますか
feel = しずか | げんき | ゆうめい | へん | きれい | だいすき | すてき | らく | ばか
  | りっぱ
wow = ああ | おや | ばんざい | すごい | うわあ | まあ | ざんねん
hello = こんにちは | おはよう | こんばんは | ようこそ | さようなら | おやすみなさい
name = えみ | けんた | ゆき | じろう | まゆ | ひろし | ふみこ | そら | あおい | べんじ
yes = はい | もちろん | たぶん | そうですね | いいえ | ぜひ
number = に | さん | よん | ご | ろく | なな | はち | きゅう | じゅう | じゅう{digit}
  | にじゅう{digit} | よんじゅう{digit} | ひゃく
digit = いち | に | さん | よん | ご | ろく | なな | はち | きゅう
once = むかし | ある ばん | きょねんの ふゆ | こどもの とき | たんじょうびに
""")
