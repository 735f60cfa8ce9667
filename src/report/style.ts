/**
 * The style of a report page. Colours: blue for what held, vermilion for what fell (told apart in all common forms of
 * colour blindness; from Okabe and Ito 2008), always beside a word or a shape. Dark where the reader's system is dark,
 * light on paper.
 */
export const STYLE = `
:root{color-scheme:light dark;--page:#f5f6f4;--card:#fff;--ink:#18222d;--muted:#586572;--line:#dfe3e4;--soft:#eef1f1;
--held:#2471a8;--held-ink:#1d5f90;--changed:#d9660b;--changed-ink:#a94a00;--rest:#b9c0c6;--warn:#fdf1e2;
--s0:#d9660b;--s1:#0a8a68;--s2:#b3568f;--s3:#a87a00;--s4:#3a8fc4;--s5:#6c5fb0;--worst:#18222d;--on:#fff;--code:#f0f2f2}
@media screen and (prefers-color-scheme:dark){:root{--page:#10151b;--card:#181f27;--ink:#e7ebee;--muted:#9aa7b3;--line:#2b3540;--soft:#202933;
--held:#5caee6;--held-ink:#86c4f0;--changed:#f29148;--changed-ink:#f8ab72;--rest:#4b5763;--warn:#33260f;
--s0:#f29148;--s1:#3fc79d;--s2:#e08dbd;--s3:#e3bb45;--s4:#74bdea;--s5:#aba0ec;--worst:#e7ebee;--on:#10151b;--code:#202933}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 32px}
header{display:flex;flex-wrap:wrap;gap:4px 14px;align-items:center;padding-top:28px;padding-bottom:20px;color:var(--muted);font-size:14px}
header .brand{display:flex;align-items:center;gap:9px;color:var(--ink);font-weight:650;font-size:17px;letter-spacing:-.01em;margin-right:auto}
header svg{width:26px;height:26px}
header svg .hill{fill:var(--held)}header svg .view{fill:none;stroke:var(--changed);stroke-width:2.2;stroke-linecap:round}
header span{min-width:0;max-width:100%;overflow-wrap:anywhere}header b{color:var(--ink);font-weight:600}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:30px 34px 32px;margin:0 0 20px}
h1{font-size:clamp(27px,4.3vw,46px);line-height:1.12;letter-spacing:-.025em;font-weight:700;margin:14px 0 16px;max-width:22em;text-wrap:balance}
h2{font-size:22px;line-height:1.25;letter-spacing:-.012em;margin:0 0 6px;font-weight:680}
h3{font-size:15.5px;margin:0 0 6px;font-weight:650}
p{margin:0 0 10px}
.lead,.story{color:var(--muted);max-width:68ch}
.story{font-size:17px}
.lead{margin-bottom:20px}
.muted{color:var(--muted)}.small{font-size:13px}
b.right{color:var(--held-ink)}b.wrong{color:var(--changed-ink)}
.opening{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:24px 48px;align-items:center}
.key-picture{display:flex;gap:14px;margin:0}.key-picture div{width:148px}.key-picture img{display:block;width:148px;height:auto;border-radius:8px;outline:1px solid var(--line);outline-offset:-1px}.key-picture .attacked img{outline:3px solid var(--changed)}.key-picture p{margin:9px 0 0;font-size:14px;line-height:1.35;color:var(--muted)}.key-picture b{font-size:19px}
.chip{display:inline-block;border-radius:99px;padding:4px 14px;font-weight:650;font-size:14px;color:var(--on);background:var(--muted)}
.chip.held{background:var(--held)}.chip.weakened,.chip.gave-way,.chip.fell{background:var(--changed-ink)}
.partial{background:var(--warn);border-radius:8px;padding:10px 14px}
.figures{display:grid;grid-template-columns:repeat(3,1fr);gap:20px;margin:30px 0 26px;border-top:1px solid var(--line);padding-top:24px}
.figures>div{display:flex;flex-direction:column}
.figure{font-size:clamp(36px,6.2vw,66px);line-height:1.05;font-weight:720;letter-spacing:-.04em;white-space:nowrap}
.figure.robust{color:var(--held)}.figure.lost{color:var(--changed)}
.what{font-weight:620;margin-top:6px}
.figures .muted{font-size:14px}
.fate svg{display:block;width:100%;height:20px;border-radius:5px}
.legend{margin:10px 0 0;font-size:14px;color:var(--muted)}
.entry{display:inline-block;margin-right:16px}.key{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px;background:var(--rest)}.key.held{background:var(--held)}.key.changed{background:var(--changed)}
rect.held,polygon.held{fill:var(--held)}rect.changed{fill:var(--changed)}rect.rest{fill:var(--rest)}
.budgets{list-style:none;display:flex;flex-wrap:wrap;gap:8px;margin:22px 0 0;padding:0;font-size:14.5px}
.budgets li.intro{background:none;padding:5px 4px 5px 0;color:var(--muted)}.option{white-space:nowrap}
.budgets li{background:var(--soft);border-radius:8px;padding:5px 12px}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,450px),1fr));gap:18px}
.card{margin:0;border:1px solid var(--line);border-radius:11px;padding:14px 16px 10px;break-inside:avoid}
figcaption{display:flex;justify-content:space-between;align-items:center;gap:10px;margin-bottom:10px;font-size:15px}
.badge{font-size:12.5px;font-weight:620;border-radius:99px;padding:2px 10px;background:var(--soft);color:var(--held-ink);white-space:nowrap}
.fell .badge{color:var(--changed-ink)}
.triple{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:12px}
.triple p{font-size:13.5px;line-height:1.4;margin:7px 0 4px}
.triple img{display:block;width:100%;height:auto;border-radius:5px;background:var(--soft);outline:1px solid var(--line);outline-offset:-1px}
.fell .triple div:nth-child(2) img{outline:2px solid var(--changed)}
.pixelated{image-rendering:pixelated}
.flip{font-size:15px}.origin{font-size:12.5px;color:var(--muted);margin:6px 0 0}
.bars,.series{display:block;width:100%}
polyline.before,polyline.after{fill:none;stroke:var(--held);stroke-width:2;stroke-linejoin:round}polyline.after{stroke:var(--changed);stroke-width:1.6}
.plot{margin:0}.plot+.plot{margin-top:26px}
svg text{font-family:inherit;fill:var(--ink)}
.chart,.grid-chart{display:block;width:100%;height:auto}
.narrow{display:none}
text.tick{font-size:13px;fill:var(--muted)}text.class{font-size:13.5px}text.cell{font-size:12.5px}text.on-held{fill:var(--on)}text.on-changed{fill:#10151b}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--muted);stroke-width:1}
.line{fill:none;stroke:var(--c);stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}
.whisker{stroke:var(--c);stroke-width:1.4}
.mark{fill:var(--c);stroke:var(--card);stroke-width:1.5}
.band{fill:var(--c);fill-opacity:.1;stroke:none}
.worst .line{stroke-width:7;stroke-opacity:.28}
.nearest{fill:none;stroke:var(--muted);stroke-width:1.8;stroke-dasharray:2 4}.halving circle{fill:none;stroke:var(--changed);stroke-width:2.4}.halving text{fill:var(--changed-ink);font-weight:600}
text.name{font-size:14px;font-weight:600;fill:var(--c)}
.s0{--c:var(--s0)}.s1{--c:var(--s1)}.s2{--c:var(--s2)}.s3{--c:var(--s3)}.s4{--c:var(--s4)}.s5{--c:var(--s5)}.worst{--c:var(--worst)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14.5px}
.attacks th,.attacks td{text-align:left;padding:7px 14px 7px 0;border-bottom:1px solid var(--line);white-space:nowrap;font-weight:400}
thead th{color:var(--muted);font-size:13px;vertical-align:bottom}
.attacks .num{text-align:right}
td.strong{font-weight:700}
tr.head th{font-weight:680;font-size:15.5px;padding-top:20px;white-space:normal}
.options{font-weight:400;color:var(--muted);font-size:13.5px;margin-left:6px}
tr.note td{color:var(--muted);white-space:normal;font-size:13.5px}
tbody:last-child tr:last-child td{border-bottom:0}
.meter-cell{width:120px;min-width:90px;padding-left:10px}tr>:last-child{padding-right:0}.meter{display:block;width:100%;height:9px;border-radius:2px}
.confusion{display:grid;grid-template-columns:minmax(0,1fr) minmax(250px,300px);gap:34px;align-items:start}
.confusion .pairs:only-child{grid-column:1/-1}
.grid-chart{max-width:540px}.grid-chart.large{max-width:960px;min-width:640px}
.confusion.stacked{grid-template-columns:minmax(0,1fr)}.stacked .pairs ol{columns:18em;column-gap:34px}.stacked .pairs li{break-inside:avoid}
.class-bars{margin-top:28px}.class-bar{display:grid;grid-template-columns:minmax(70px,160px) minmax(0,1fr) 130px;gap:14px;align-items:center;padding:4px 0;font-size:14.5px}.class-bar svg{display:block;width:100%;height:10px;border-radius:3px}.class-bar .num{text-align:right;white-space:nowrap}
.empty{fill:var(--soft)}
.pairs ol{list-style:none;margin:0 0 16px;padding:0}
.pairs li{padding:7px 0;border-bottom:1px solid var(--line)}.pairs li .muted{display:block;font-size:13.5px}
.pair{font-size:17px}
.findings{display:grid;gap:14px;margin-top:16px}
.finding{border:1px solid var(--line);border-left:5px solid var(--c);border-radius:9px;padding:16px 20px 14px;break-inside:avoid}
.finding h3{font-size:18px;letter-spacing:-.01em}.finding p{max-width:78ch}
.critical,.high{--c:var(--changed)}.medium{--c:var(--s3)}.low{--c:var(--held)}.info{--c:var(--rest)}
.severity{display:flex;align-items:center;gap:9px;text-transform:uppercase;letter-spacing:.07em;font-size:12px;font-weight:680;color:var(--muted);margin-bottom:4px}
.pips{width:46px;height:10px}.pips .full{fill:var(--c)}.pips .hollow{fill:none;stroke:var(--rest);stroke-width:1.5}
.tags{display:flex;flex-wrap:wrap;gap:7px;font-size:12.5px;margin:12px 0 0}
.tags span,.tags code{background:var(--soft);border-radius:5px;padding:2px 8px;color:var(--muted)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:22px 44px;margin:16px 0 28px}
dl{margin:0}dl>div{display:grid;grid-template-columns:86px minmax(0,1fr);gap:12px;padding:5px 0;border-top:1px solid var(--line);font-size:14.5px}
dt{color:var(--muted)}dd{margin:0}.tensor{display:block}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.92em}
.digest{overflow-wrap:anywhere;font-size:12.5px}
pre{background:var(--code);border-radius:9px;padding:14px 16px;margin:6px 0 10px;white-space:pre-wrap;overflow-wrap:anywhere}
details{font-size:14.5px;margin-top:14px}summary{cursor:pointer}.files{columns:2;font-size:13.5px}
.limits ul{margin:12px 0 0;padding-left:20px}.limits li{margin-bottom:9px;max-width:82ch}
footer{color:var(--muted);font-size:13.5px;padding-bottom:40px}
a{color:inherit}
@media screen and (max-width:760px){
main,header,footer{padding-left:12px;padding-right:12px}header{padding-left:16px;padding-top:18px}
section{padding:22px 18px 24px;border-radius:11px;margin-bottom:12px}
.figures{gap:18px 12px;grid-template-columns:1fr 1fr}.figures>div:last-child{grid-column:1/-1}
.opening{grid-template-columns:minmax(0,1fr)}.wide{display:none}.narrow{display:block}
.confusion{grid-template-columns:minmax(0,1fr);gap:22px}
.files{columns:1}.story{font-size:16px}.attacks .extra{display:none}.attacks thead th{white-space:normal}.confusion.stacked{grid-template-columns:minmax(0,1fr)}
.card{padding:12px 12px 8px}.triple{gap:8px}
}
@media print{@page{margin:13mm}
:root{color-scheme:light;--page:#fff}body{font-size:10pt;line-height:1.45;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main,header,footer{padding:0;max-width:none}header{padding-bottom:10pt}section{border:0;padding:0 0 12pt;margin:0 0 8pt}
h1{font-size:25pt}.figure{font-size:34pt}h2{font-size:15pt}.story,.lead{font-size:10.5pt}.figures{margin:14pt 0;padding-top:12pt}
.verdict,.plot,tbody,.card,.finding,.grid-chart,.fact,.limits li,pre{break-inside:avoid}h2,h3,.lead,thead{break-after:avoid}.lead,.finding p{break-inside:avoid}
.gallery{grid-template-columns:1fr 1fr;gap:8pt}.card{padding:8pt 10pt 4pt}.triple p,figcaption,.origin{font-size:8.5pt}
.opening{gap:0 20pt}.key-picture div,.key-picture img{width:100px}
.scroll{overflow:visible}.attacks{font-size:8.5pt}.attacks th,.attacks td{padding:3pt 7pt 3pt 0}.attacks thead th{white-space:normal;font-size:8pt}.meter-cell{width:60px;min-width:50px}
.confusion{grid-template-columns:minmax(0,1fr) 170px;gap:18pt}.grid-chart.large{min-width:0}.pairs li{padding:3pt 0}.pair{font-size:11pt}
.facts{grid-template-columns:1fr 1fr;gap:12pt 22pt;margin:8pt 0 12pt}dl>div{grid-template-columns:56px minmax(0,1fr);font-size:9pt;padding:3pt 0}.digest{font-size:7.5pt}.finding{padding:9pt 12pt 7pt}}
`;
