import { readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { curate } from '/work/main/src/lines/models/curate.ts'
import { learnPieces, vocabulary, tokenizer } from '/work/main/src/lines/models/tokenizer.ts'
import { run } from '/work/main/src/adapters/jax/run.ts'
const rows = readFileSync('/work/shared/data/decisions/banking77_train.csv','utf8')
const out:any[]=[]; let f='',r:string[]=[],q=false
for (let i=0;i<rows.length;i++){const c=rows[i]; if(q){ if(c=='"'){ if(rows[i+1]=='"'){f+='"';i++} else q=false } else f+=c } else if(c=='"')q=true; else if(c==','){r.push(f);f=''} else if(c=='\n'){r.push(f.replace(/\r$/,''));f='';out.push(r);r=[]} else f+=c}
const data=out.slice(1).map(([text,label])=>({text,label}))
const ds=curate(data,t=>createHash('sha256').update(t).digest('hex'))
const v=vocabulary(learnPieces(ds.train.map(r=>r.text),670),[...new Set(data.map(d=>d.label))].sort(),['0.1','0.2','0.3','0.4','0.5','0.6','0.7','0.8'])
const o={width:128,layers:3,heads:4,ff:344,epochs:8,batch:32,lr:2e-3,wd:.1,ml:0,wdrop:.1,drop:.1,...JSON.parse(process.argv[2]??'{}')}
console.log(JSON.stringify(o), v.tokens.length)
const shape={vocabulary:v.tokens.length,width:o.width,layers:o.layers,heads:o.heads,feedForward:o.ff,context:128}
const t0=Date.now(); let tok=0,ls=0,n=0
await run({shape,vocabulary:v,recipe:{seed:1,epochs:o.epochs,batch:o.batch,learningRate:o.lr,weightDecay:o.wd,messageLoss:o.ml,wordDropout:o.wdrop,dropout:o.drop},train:ds.train,watch:[...ds.calibrate,...(o.T?ds.test:[])]},e=>{
 if(e.kind==='step'){tok+=e.tokens;ls+=e.loss;n++; if(e.step%(+(o.every??100))==0)console.log(e.step,'/',e.steps,(ls/n).toFixed(3),(tok/(Date.now()-t0)*1000).toFixed(0)+' tok/s',((Date.now()-t0)/1000).toFixed(0)+'s',(process.memoryUsage().rss/1e6).toFixed(0)+'MB')}
 if(e.kind==='epoch'){console.log('epoch',e.epoch,'loss',(ls/n).toFixed(3),'watch',e.watched.toFixed(4),((Date.now()-t0)/1000).toFixed(0)+'s');ls=0;n=0}
 if(e.kind==='failed')console.log(e)
})
