var mi=Object.defineProperty;var A=(e,t,s)=>()=>{if(s)throw s[0];try{return e&&(t=e(e=0)),t}catch(i){throw s=[i],i}};var gi=(e,t)=>{for(var s in t)mi(e,s,{get:t[s],enumerable:!0})};function Ge(e,t){if(!te(e)||!e.hasOwnProperty("raw"))throw Error("invalid template strings array");return Re!==void 0?Re.createHTML(t):t}function U(e,t,s=e,i){if(t===v)return t;let n=i!==void 0?s._$Co?.[i]:s._$Cl,r=Q(t)?void 0:t._$litDirective$;return n?.constructor!==r&&(n?._$AO?.(!1),r===void 0?n=void 0:(n=new r(e),n._$AT(e,s,i)),i!==void 0?(s._$Co??=[])[i]=n:s._$Cl=n),n!==void 0&&(t=U(e,n._$AS(e,t.values),n,i)),t}function Ii(e){this._$AN!==void 0?(pt(this),this._$AM=e,is(this)):this._$AM=e}function Fi(e,t=!1,s=0){let i=this._$AH,n=this._$AN;if(n!==void 0&&n.size!==0)if(t)if(Array.isArray(i))for(let r=s;r<i.length;r++)X(i[r],!1),pt(i[r]);else i!=null&&(X(i,!1),pt(i));else X(this,e)}var dt,Jt,We,Ce,$i,bi,yi,Oe,vi,wi,Ai,Ei,xi,ki,_t,Pe,Si,Ti,J,Kt,je,De,W,Xt,ut,Re,Zt,O,Qt,Mi,F,Z,Q,te,He,zt,K,Le,Ne,L,Ie,Fe,ze,ee,l,hr,cr,v,d,Ue,I,Ye,Vt,Ve,ft,tt,Xe,Ze,Qe,ts,Ci,Oi,et,se,j,Pi,C,st,it,dr,Di,ur,Ri,es,qe,V,N,Li,ss,Ni,Gt,pr,X,pt,is,Ui,qi,Yt,_r,Be,H,E=A(()=>{dt=globalThis,Jt=dt.ShadowRoot&&(dt.ShadyCSS===void 0||dt.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,We=Symbol(),Ce=new WeakMap,$i=class{constructor(e,t,s){if(this._$cssResult$=!0,s!==We)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o,t=this.t;if(Jt&&e===void 0){let s=t!==void 0&&t.length===1;s&&(e=Ce.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),s&&Ce.set(t,e))}return e}toString(){return this.cssText}},bi=e=>new $i(typeof e=="string"?e:e+"",void 0,We),yi=(e,t)=>{if(Jt)e.adoptedStyleSheets=t.map(s=>s instanceof CSSStyleSheet?s:s.styleSheet);else for(let s of t){let i=document.createElement("style"),n=dt.litNonce;n!==void 0&&i.setAttribute("nonce",n),i.textContent=s.cssText,e.appendChild(i)}},Oe=Jt?e=>e:e=>e instanceof CSSStyleSheet?(t=>{let s="";for(let i of t.cssRules)s+=i.cssText;return bi(s)})(e):e,{is:vi,defineProperty:wi,getOwnPropertyDescriptor:Ai,getOwnPropertyNames:Ei,getOwnPropertySymbols:xi,getPrototypeOf:ki}=Object,_t=globalThis,Pe=_t.trustedTypes,Si=Pe?Pe.emptyScript:"",Ti=_t.reactiveElementPolyfillSupport,J=(e,t)=>e,Kt={toAttribute(e,t){switch(t){case Boolean:e=e?Si:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let s=e;switch(t){case Boolean:s=e!==null;break;case Number:s=e===null?null:Number(e);break;case Object:case Array:try{s=JSON.parse(e)}catch{s=null}}return s}},je=(e,t)=>!vi(e,t),De={attribute:!0,type:String,converter:Kt,reflect:!1,useDefault:!1,hasChanged:je};Symbol.metadata??=Symbol("metadata"),_t.litPropertyMetadata??=new WeakMap;W=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=De){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){let s=Symbol(),i=this.getPropertyDescriptor(e,s,t);i!==void 0&&wi(this.prototype,e,i)}}static getPropertyDescriptor(e,t,s){let{get:i,set:n}=Ai(this.prototype,e)??{get(){return this[t]},set(r){this[t]=r}};return{get:i,set(r){let a=i?.call(this);n?.call(this,r),this.requestUpdate(e,a,s)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??De}static _$Ei(){if(this.hasOwnProperty(J("elementProperties")))return;let e=ki(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(J("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(J("properties"))){let t=this.properties,s=[...Ei(t),...xi(t)];for(let i of s)this.createProperty(i,t[i])}let e=this[Symbol.metadata];if(e!==null){let t=litPropertyMetadata.get(e);if(t!==void 0)for(let[s,i]of t)this.elementProperties.set(s,i)}this._$Eh=new Map;for(let[t,s]of this.elementProperties){let i=this._$Eu(t,s);i!==void 0&&this._$Eh.set(i,t)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let t=[];if(Array.isArray(e)){let s=new Set(e.flat(1/0).reverse());for(let i of s)t.unshift(Oe(i))}else e!==void 0&&t.push(Oe(e));return t}static _$Eu(e,t){let s=t.attribute;return s===!1?void 0:typeof s=="string"?s:typeof e=="string"?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,t=this.constructor.elementProperties;for(let s of t.keys())this.hasOwnProperty(s)&&(e.set(s,this[s]),delete this[s]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return yi(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,s){this._$AK(e,s)}_$ET(e,t){let s=this.constructor.elementProperties.get(e),i=this.constructor._$Eu(e,s);if(i!==void 0&&s.reflect===!0){let n=(s.converter?.toAttribute!==void 0?s.converter:Kt).toAttribute(t,s.type);this._$Em=e,n==null?this.removeAttribute(i):this.setAttribute(i,n),this._$Em=null}}_$AK(e,t){let s=this.constructor,i=s._$Eh.get(e);if(i!==void 0&&this._$Em!==i){let n=s.getPropertyOptions(i),r=typeof n.converter=="function"?{fromAttribute:n.converter}:n.converter?.fromAttribute!==void 0?n.converter:Kt;this._$Em=i;let a=r.fromAttribute(t,n.type);this[i]=a??this._$Ej?.get(i)??a,this._$Em=null}}requestUpdate(e,t,s,i=!1,n){if(e!==void 0){let r=this.constructor;if(i===!1&&(n=this[e]),s??=r.getPropertyOptions(e),!((s.hasChanged??je)(n,t)||s.useDefault&&s.reflect&&n===this._$Ej?.get(e)&&!this.hasAttribute(r._$Eu(e,s))))return;this.C(e,t,s)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(e,t,{useDefault:s,reflect:i,wrapped:n},r){s&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,r??t??this[e]),n!==!0||r!==void 0)||(this._$AL.has(e)||(this.hasUpdated||s||(t=void 0),this._$AL.set(e,t)),i===!0&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(t){Promise.reject(t)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[i,n]of this._$Ep)this[i]=n;this._$Ep=void 0}let s=this.constructor.elementProperties;if(s.size>0)for(let[i,n]of s){let{wrapped:r}=n,a=this[i];r!==!0||this._$AL.has(i)||a===void 0||this.C(i,void 0,n,a)}}let e=!1,t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(s=>s.hostUpdate?.()),this.update(t)):this._$EM()}catch(s){throw e=!1,this._$EM(),s}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(t=>t.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(t=>this._$ET(t,this[t])),this._$EM()}updated(e){}firstUpdated(e){}};W.elementStyles=[],W.shadowRootOptions={mode:"open"},W[J("elementProperties")]=new Map,W[J("finalized")]=new Map,Ti?.({ReactiveElement:W}),(_t.reactiveElementVersions??=[]).push("2.1.2");Xt=globalThis,ut=Xt.trustedTypes,Re=ut?ut.createPolicy("lit-html",{createHTML:e=>e}):void 0,Zt="$lit$",O=`lit$${Math.random().toFixed(9).slice(2)}$`,Qt="?"+O,Mi=`<${Qt}>`,F=document,Z=()=>F.createComment(""),Q=e=>e===null||typeof e!="object"&&typeof e!="function",te=Array.isArray,He=e=>te(e)||typeof e?.[Symbol.iterator]=="function",zt=`[ 	
\f\r]`,K=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Le=/-->/g,Ne=/>/g,L=RegExp(`>|${zt}(?:([^\\s"'>=/]+)(${zt}*=${zt}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),Ie=/'/g,Fe=/"/g,ze=/^(?:script|style|textarea|title)$/i,ee=e=>(t,...s)=>({_$litType$:e,strings:t,values:s}),l=ee(1),hr=ee(2),cr=ee(3),v=Symbol.for("lit-noChange"),d=Symbol.for("lit-nothing"),Ue=new WeakMap,I=F.createTreeWalker(F,129);Ye=(e,t)=>{let s=e.length-1,i=[],n,r=t===2?"<svg>":t===3?"<math>":"",a=K;for(let h=0;h<s;h++){let c=e[h],_,f,u=-1,g=0;for(;g<c.length&&(a.lastIndex=g,f=a.exec(c),f!==null);)g=a.lastIndex,a===K?f[1]==="!--"?a=Le:f[1]!==void 0?a=Ne:f[2]!==void 0?(ze.test(f[2])&&(n=RegExp("</"+f[2],"g")),a=L):f[3]!==void 0&&(a=L):a===L?f[0]===">"?(a=n??K,u=-1):f[1]===void 0?u=-2:(u=a.lastIndex-f[2].length,_=f[1],a=f[3]===void 0?L:f[3]==='"'?Fe:Ie):a===Fe||a===Ie?a=L:a===Le||a===Ne?a=K:(a=L,n=void 0);let m=a===L&&e[h+1].startsWith("/>")?" ":"";r+=a===K?c+Mi:u>=0?(i.push(_),c.slice(0,u)+Zt+c.slice(u)+O+m):c+O+(u===-2?h:m)}return[Ge(e,r+(e[s]||"<?>")+(t===2?"</svg>":t===3?"</math>":"")),i]},Vt=class Ke{constructor({strings:t,_$litType$:s},i){let n;this.parts=[];let r=0,a=0,h=t.length-1,c=this.parts,[_,f]=Ye(t,s);if(this.el=Ke.createElement(_,i),I.currentNode=this.el.content,s===2||s===3){let u=this.el.content.firstChild;u.replaceWith(...u.childNodes)}for(;(n=I.nextNode())!==null&&c.length<h;){if(n.nodeType===1){if(n.hasAttributes())for(let u of n.getAttributeNames())if(u.endsWith(Zt)){let g=f[a++],m=n.getAttribute(u).split(O),b=/([.?@])?(.*)/.exec(g);c.push({type:1,index:r,name:b[2],strings:m,ctor:b[1]==="."?Xe:b[1]==="?"?Ze:b[1]==="@"?Qe:tt}),n.removeAttribute(u)}else u.startsWith(O)&&(c.push({type:6,index:r}),n.removeAttribute(u));if(ze.test(n.tagName)){let u=n.textContent.split(O),g=u.length-1;if(g>0){n.textContent=ut?ut.emptyScript:"";for(let m=0;m<g;m++)n.append(u[m],Z()),I.nextNode(),c.push({type:2,index:++r});n.append(u[g],Z())}}}else if(n.nodeType===8)if(n.data===Qt)c.push({type:2,index:r});else{let u=-1;for(;(u=n.data.indexOf(O,u+1))!==-1;)c.push({type:7,index:r}),u+=O.length-1}r++}}static createElement(t,s){let i=F.createElement("template");return i.innerHTML=t,i}};Ve=class{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:t},parts:s}=this._$AD,i=(e?.creationScope??F).importNode(t,!0);I.currentNode=i;let n=I.nextNode(),r=0,a=0,h=s[0];for(;h!==void 0;){if(r===h.index){let c;h.type===2?c=new ft(n,n.nextSibling,this,e):h.type===1?c=new h.ctor(n,h.name,h.strings,this,e):h.type===6&&(c=new ts(n,this,e)),this._$AV.push(c),h=s[++a]}r!==h?.index&&(n=I.nextNode(),r++)}return I.currentNode=F,i}p(e){let t=0;for(let s of this._$AV)s!==void 0&&(s.strings!==void 0?(s._$AI(e,s,t),t+=s.strings.length-2):s._$AI(e[t])),t++}},ft=class Je{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(t,s,i,n){this.type=2,this._$AH=d,this._$AN=void 0,this._$AA=t,this._$AB=s,this._$AM=i,this.options=n,this._$Cv=n?.isConnected??!0}get parentNode(){let t=this._$AA.parentNode,s=this._$AM;return s!==void 0&&t?.nodeType===11&&(t=s.parentNode),t}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(t,s=this){t=U(this,t,s),Q(t)?t===d||t==null||t===""?(this._$AH!==d&&this._$AR(),this._$AH=d):t!==this._$AH&&t!==v&&this._(t):t._$litType$!==void 0?this.$(t):t.nodeType!==void 0?this.T(t):He(t)?this.k(t):this._(t)}O(t){return this._$AA.parentNode.insertBefore(t,this._$AB)}T(t){this._$AH!==t&&(this._$AR(),this._$AH=this.O(t))}_(t){this._$AH!==d&&Q(this._$AH)?this._$AA.nextSibling.data=t:this.T(F.createTextNode(t)),this._$AH=t}$(t){let{values:s,_$litType$:i}=t,n=typeof i=="number"?this._$AC(t):(i.el===void 0&&(i.el=Vt.createElement(Ge(i.h,i.h[0]),this.options)),i);if(this._$AH?._$AD===n)this._$AH.p(s);else{let r=new Ve(n,this),a=r.u(this.options);r.p(s),this.T(a),this._$AH=r}}_$AC(t){let s=Ue.get(t.strings);return s===void 0&&Ue.set(t.strings,s=new Vt(t)),s}k(t){te(this._$AH)||(this._$AH=[],this._$AR());let s=this._$AH,i,n=0;for(let r of t)n===s.length?s.push(i=new Je(this.O(Z()),this.O(Z()),this,this.options)):i=s[n],i._$AI(r),n++;n<s.length&&(this._$AR(i&&i._$AB.nextSibling,n),s.length=n)}_$AR(t=this._$AA.nextSibling,s){for(this._$AP?.(!1,!0,s);t&&t!==this._$AB;){let i=t.nextSibling;t.remove(),t=i}}setConnected(t){this._$AM===void 0&&(this._$Cv=t,this._$AP?.(t))}},tt=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,s,i,n){this.type=1,this._$AH=d,this._$AN=void 0,this.element=e,this.name=t,this._$AM=i,this.options=n,s.length>2||s[0]!==""||s[1]!==""?(this._$AH=Array(s.length-1).fill(new String),this.strings=s):this._$AH=d}_$AI(e,t=this,s,i){let n=this.strings,r=!1;if(n===void 0)e=U(this,e,t,0),r=!Q(e)||e!==this._$AH&&e!==v,r&&(this._$AH=e);else{let a=e,h,c;for(e=n[0],h=0;h<n.length-1;h++)c=U(this,a[s+h],t,h),c===v&&(c=this._$AH[h]),r||=!Q(c)||c!==this._$AH[h],c===d?e=d:e!==d&&(e+=(c??"")+n[h+1]),this._$AH[h]=c}r&&!i&&this.j(e)}j(e){e===d?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??"")}},Xe=class extends tt{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===d?void 0:e}},Ze=class extends tt{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==d)}},Qe=class extends tt{constructor(e,t,s,i,n){super(e,t,s,i,n),this.type=5}_$AI(e,t=this){if((e=U(this,e,t,0)??d)===v)return;let s=this._$AH,i=e===d&&s!==d||e.capture!==s.capture||e.once!==s.once||e.passive!==s.passive,n=e!==d&&(s===d||i);i&&this.element.removeEventListener(this.name,this,s),n&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},ts=class{constructor(e,t,s){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=s}get _$AU(){return this._$AM._$AU}_$AI(e){U(this,e)}},Ci={M:Zt,P:O,A:Qt,C:1,L:Ye,R:Ve,D:He,V:U,I:ft,H:tt,N:Ze,U:Qe,B:Xe,F:ts},Oi=Xt.litHtmlPolyfillSupport;Oi?.(Vt,ft),(Xt.litHtmlVersions??=[]).push("3.3.0");et=(e,t,s)=>{let i=s?.renderBefore??t,n=i._$litPart$;if(n===void 0){let r=s?.renderBefore??null;i._$litPart$=n=new ft(t.insertBefore(Z(),r),r,void 0,s??{})}return n._$AI(e),n},se=globalThis,j=class extends W{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=et(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return v}};j._$litElement$=!0,j.finalized=!0,se.litElementHydrateSupport?.({LitElement:j});Pi=se.litElementPolyfillSupport;Pi?.({LitElement:j});(se.litElementVersions??=[]).push("4.2.2");C={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},st=e=>(...t)=>({_$litDirective$:e,values:t}),it=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,s){this._$Ct=e,this._$AM=t,this._$Ci=s}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}},dr=st(class extends it{constructor(e){if(super(e),e.type!==C.ATTRIBUTE||e.name!=="class"||e.strings?.length>2)throw Error("`classMap()` can only be used in the `class` attribute and must be the only part in the attribute.")}render(e){return" "+Object.keys(e).filter((t=>e[t])).join(" ")+" "}update(e,[t]){if(this.st===void 0){this.st=new Set,e.strings!==void 0&&(this.nt=new Set(e.strings.join(" ").split(/\s/).filter((i=>i!==""))));for(let i in t)t[i]&&!this.nt?.has(i)&&this.st.add(i);return this.render(t)}let s=e.element.classList;for(let i of this.st)i in t||(s.remove(i),this.st.delete(i));for(let i in t){let n=!!t[i];n===this.st.has(i)||this.nt?.has(i)||(n?(s.add(i),this.st.add(i)):(s.remove(i),this.st.delete(i)))}return v}}),Di={},ur=st(class extends it{constructor(){super(...arguments),this.ot=Di}render(e,t){return t()}update(e,[t,s]){if(Array.isArray(t)){if(Array.isArray(this.ot)&&this.ot.length===t.length&&t.every(((i,n)=>i===this.ot[n])))return v}else if(this.ot===t)return v;return this.ot=Array.isArray(t)?Array.from(t):t,this.render(t,s)}}),{I:Ri}=Ci,es=e=>e.strings===void 0,qe=()=>document.createComment(""),V=(e,t,s)=>{let i=e._$AA.parentNode,n=t===void 0?e._$AB:t._$AA;if(s===void 0){let r=i.insertBefore(qe(),n),a=i.insertBefore(qe(),n);s=new Ri(r,a,e,e.options)}else{let r=s._$AB.nextSibling,a=s._$AM,h=a!==e;if(h){let c;s._$AQ?.(e),s._$AM=e,s._$AP!==void 0&&(c=e._$AU)!==a._$AU&&s._$AP(c)}if(r!==n||h){let c=s._$AA;for(;c!==r;){let _=c.nextSibling;i.insertBefore(c,n),c=_}}}return s},N=(e,t,s=e)=>(e._$AI(t,s),e),Li={},ss=(e,t=Li)=>e._$AH=t,Ni=e=>e._$AH,Gt=e=>{e._$AP?.(!1,!0);let t=e._$AA,s=e._$AB.nextSibling;for(;t!==s;){let i=t.nextSibling;t.remove(),t=i}},pr=st(class extends it{constructor(e){if(super(e),e.type!==C.PROPERTY&&e.type!==C.ATTRIBUTE&&e.type!==C.BOOLEAN_ATTRIBUTE)throw Error("The `live` directive is not allowed on child or event bindings");if(!es(e))throw Error("`live` bindings can only contain a single expression")}render(e){return e}update(e,[t]){if(t===v||t===d)return t;let s=e.element,i=e.name;if(e.type===C.PROPERTY){if(t===s[i])return v}else if(e.type===C.BOOLEAN_ATTRIBUTE){if(!!t===s.hasAttribute(i))return v}else if(e.type===C.ATTRIBUTE&&s.getAttribute(i)===t+"")return v;return ss(e),t}}),X=(e,t)=>{let s=e._$AN;if(s===void 0)return!1;for(let i of s)i._$AO?.(t,!1),X(i,t);return!0},pt=e=>{let t,s;do{if((t=e._$AM)===void 0)break;s=t._$AN,s.delete(e),e=t}while(s?.size===0)},is=e=>{for(let t;t=e._$AM;e=t){let s=t._$AN;if(s===void 0)t._$AN=s=new Set;else if(s.has(e))break;s.add(e),Ui(t)}};Ui=e=>{e.type==C.CHILD&&(e._$AP??=Fi,e._$AQ??=Ii)},qi=class extends it{constructor(){super(...arguments),this._$AN=void 0}_$AT(e,t,s){super._$AT(e,t,s),is(this),this.isConnected=e._$AU}_$AO(e,t=!0){e!==this.isConnected&&(this.isConnected=e,e?this.reconnected?.():this.disconnected?.()),t&&(X(this,e),pt(this))}setValue(e){if(es(this._$Ct))this._$Ct._$AI(e,this);else{let t=[...this._$Ct._$AH];t[this._$Ci]=e,this._$Ct._$AI(t,this,0)}}disconnected(){}reconnected(){}},Yt=new WeakMap,_r=st(class extends qi{render(e){return d}update(e,[t]){let s=t!==this.G;return s&&this.G!==void 0&&this.rt(void 0),(s||this.lt!==this.ct)&&(this.G=t,this.ht=e.options?.host,this.rt(this.ct=e.element)),d}rt(e){if(this.isConnected||(e=void 0),typeof this.G=="function"){let t=this.ht??globalThis,s=Yt.get(t);s===void 0&&(s=new WeakMap,Yt.set(t,s)),s.get(this.G)!==void 0&&this.G.call(this.ht,void 0),s.set(this.G,e),e!==void 0&&this.G.call(this.ht,e)}else this.G.value=e}get lt(){return typeof this.G=="function"?Yt.get(this.ht??globalThis)?.get(this.G):this.G?.value}disconnected(){this.lt===this.ct&&this.rt(void 0)}reconnected(){this.rt(this.ct)}}),Be=(e,t,s)=>{let i=new Map;for(let n=t;n<=s;n++)i.set(e[n],n);return i},H=st(class extends it{constructor(e){if(super(e),e.type!==C.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e,t,s){let i;s===void 0?s=t:t!==void 0&&(i=t);let n=[],r=[],a=0;for(let h of e)n[a]=i?i(h,a):a,r[a]=s(h,a),a++;return{values:r,keys:n}}render(e,t,s){return this.dt(e,t,s).values}update(e,[t,s,i]){let n=Ni(e),{values:r,keys:a}=this.dt(t,s,i);if(!Array.isArray(n))return this.ut=a,r;let h=this.ut??=[],c=[],_,f,u=0,g=n.length-1,m=0,b=r.length-1;for(;u<=g&&m<=b;)if(n[u]===null)u++;else if(n[g]===null)g--;else if(h[u]===a[m])c[m]=N(n[u],r[m]),u++,m++;else if(h[g]===a[b])c[b]=N(n[g],r[b]),g--,b--;else if(h[u]===a[b])c[b]=N(n[u],r[b]),V(e,c[b+1],n[u]),u++,b--;else if(h[g]===a[m])c[m]=N(n[g],r[m]),V(e,n[u],n[g]),g--,m++;else if(_===void 0&&(_=Be(a,m,b),f=Be(h,u,g)),_.has(h[u]))if(_.has(h[g])){let M=f.get(a[m]),Ht=M!==void 0?n[M]:null;if(Ht===null){let Me=V(e,n[u]);N(Me,r[m]),c[m]=Me}else c[m]=N(Ht,r[m]),V(e,n[u],Ht),n[M]=null;m++}else Gt(n[g]),g--;else Gt(n[u]),u++;for(;m<=b;){let M=V(e,c[b+1]);N(M,r[m]),c[m++]=M}for(;u<=g;){let M=n[u++];M!==null&&Gt(M)}return this.ut=a,ss(e,c),v}});});function ns(e){nt=e,ie=ne=re=null}function mt(){return nt.language==="ar"?"ar-u-nu-arab":"en-GB"}function $(e){return ne??=new Intl.NumberFormat(mt()),ne.format(e)}function oe(e){return re??=new Intl.NumberFormat(mt(),{style:"percent"}),re.format(e)}function o(e,t={}){return rs(nt.texts[e]||e,t)}function q(e,t,s,i={}){let n=nt.plurals[e],r=n?n[Bi(s)]:s===1?e:t;return rs(r,{count:$(s),...i})}function Bi(e){return ie??=new Intl.PluralRules(nt.language),ie.select(e)}function rs(e,t){return e.replace(/\{(\w+)\}/g,(s,i)=>i in t?t[i]:s)}var nt,ie,ne,re,y=A(()=>{nt={language:"en",texts:{},plurals:{}}});function ot({state:e,reason:t}){return e==="ready"?"":e==="processing"?o("This file is being checked."):e==="deleted"?o("This file is no longer here."):t==="file_infected"?o("A virus was found in this file."):o("This file cannot be opened.")}function gt(e){return e<os?o("{size} kB",{size:$(Math.max(1,Math.floor(e/ae+.5)))}):o("{size} MB",{size:$(Math.floor(e/os*10+.5)/10)})}function w(e){let t=Math.max(0,Math.floor(e)),s=t%60;return`${$(Math.floor(t/60))}:${s<10?$(0):""}${$(s)}`}function as(e){return e.includes(".")?e.slice(e.lastIndexOf(".")+1).toUpperCase():""}function k(e,t=""){return`/api/chat/files/${e.id}${t?`?rendition=${t}`:""}`}function ls(e,t){let s=Hi[e.content_type];return t(s?`${e.content_type}; codecs="${s}"`:e.content_type)?k(e):e.renditions.includes("aac")?k(e,"aac"):null}function le({width:e,height:t}){if(!e||!t)return{width:rt.width,height:Math.floor(rt.width*3/4)};let s=Math.min(1,rt.width/e,rt.height/t),i=n=>Math.max(rt.least,Math.floor(n*s+.5));return{width:i(e),height:i(t)}}var ae,os,Wi,ji,Hi,Rr,rt,B=A(()=>{y();ae=1024,os=ae*ae,Wi=new Set(["image/jpeg","image/png","image/webp","image/gif","audio/mpeg","audio/mp3","audio/wav","audio/x-wav","audio/wave","audio/webm","audio/ogg","audio/opus","audio/mp4","audio/x-m4a","audio/m4a","video/mp4","video/webm","video/ogg","application/ogg","application/pdf","text/plain","text/csv","text/markdown"]),ji=["jpg","jpeg","png","webp","gif","mp3","wav","webm","ogg","oga","opus","m4a","mp4","pdf","txt"],Hi={"audio/webm":"opus","audio/ogg":"opus"},Rr=[...Wi,...ji.map(e=>`.${e}`)].join();rt={width:328,height:320,least:120}});function p(e,t=""){return l`<svg class="i ${t}" aria-hidden="true"><use href="#i-${e}"></use></svg>`}var R=A(()=>{E()});function Ji(e){return{sending:o("Sending"),sent:o("Sent"),delivered:o("Delivered"),seen:o("Seen"),read:o("Read")}[e]}function bs(e,t="i-sm"){return l`<span class="st-${e}" role="img" aria-label=${Ji(e)}>${p(Vi[e],t)}</span>`}function ys(e){if(!e)return"";let[t,s]=e==="played"?[o("Played"),p("mic","i-sm")]:[o("Not played yet"),""];return l`<span class="heard-${e}" role="img" aria-label=${t}>${s}</span>`}function Xi(e){return{online:o("Online"),away:o("Away"),offline:o("Offline")}[e]}function kt({initials:e,colour:t,picture:s=null,state:i,size:n=""}){return l`<span class="avatar av-${t} ${n}"
    ><span aria-hidden="true">${e}</span>${s?l`<img src="/api/chat/files/${s}" alt="" width="44" height="44" loading="lazy" decoding="async" />`:""}${i?l`<span class="presence ${i}" role="img" aria-label=${Xi(i)}></span>`:""}</span
  >`}var Vi,ht=A(()=>{E();R();y();Vi={sending:"clock",sent:"check",delivered:"double",seen:"double",read:"double"}});function Pt({bars:e}){return 4*e-(4-2.5)}function Dt(e,{bars:t,height:s}){let i=e?.length?e:[0],n=Math.max(64,...i);return tn(Array.from({length:t},(r,a)=>{let h=Math.floor(a*i.length/t),c=Math.max(h+1,Math.floor((a+1)*i.length/t));return Math.max(...i.slice(h,c))/n}),s)}function tn(e,t,s=0){return e.map((i,n)=>{let r=Math.max(3,i*t);return`M${he((s+n)*4+2.5/2)} ${he((t-r+2.5)/2)}v${he(r-2.5)}`}).join("")}function he(e){return Math.floor(e*10+.5)/10}var ws,As,Ot,Es,ce=A(()=>{ws={bars:48,height:30},As={bars:100,height:64},Ot={bars:33,height:18},Es={bars:56,height:28}});var x,z=A(()=>{E();x=class extends j{createRenderRoot(){return this.replaceChildren(),this}connectedCallback(){super.connectedCallback(),this._listening=new AbortController}disconnectedCallback(){super.disconnectedCallback(),this._listening.abort()}listen(t,s,i){t.addEventListener(s,i,{signal:this._listening.signal})}}});function xs(){return matchMedia("(max-width: 720px)").matches}var ks=A(()=>{});function ln(e){if(e==="bubble")return ws;let t=e==="large"?As:Es;return xs()?{...t,bars:Math.floor(t.bars/2)}:t}var ue,Rt,Ss,rn,on,S,an,pe,_e=A(()=>{E();B();ht();ce();z();R();ks();y();ue=[1,1.5,2],Rt=5,Ss=15,rn="(prefers-reduced-motion: reduce)",on=1e9,S=Object.assign(new EventTarget,{player:null,speed:1}),an=document.createElement("audio"),pe=class extends x{static properties={file:{attribute:!1},recording:{attribute:!1},form:{attribute:!1},meta:{attribute:!1},heard:{attribute:!1},label:{attribute:!1},isStop:{attribute:!1},_isOn:{state:!0},_at:{state:!0},_trouble:{state:!0}};constructor(){super(),this.form="bubble",this.meta=d,this.heard="",this.isStop=!0,this._audio=null,this._rewind()}connectedCallback(){super.connectedCallback(),this.listen(S,"change",()=>this._tapeChanged())}disconnectedCallback(){super.disconnectedCallback(),queueMicrotask(()=>this.isConnected||this._unload())}willUpdate(t){let s=t.get("file");s&&this.file?.id!==s.id&&this._unload(),t.get("recording")&&this.recording?.url!==t.get("recording").url&&this._unload()}get seconds(){let t=this.recording?this.recording.seconds:(this.file?.duration_ms??NaN)/1e3;return t>0?t:Number.isFinite(this._audio?.duration)?this._audio.duration:0}toggle(){this._isOn?this.pause():this.play()}play(){let t=this.recording?this.recording.url:ls(this.file,s=>an.canPlayType(s));if(!t){this._trouble=o("Your browser cannot play this yet. Try again in a moment.");return}this._trouble="",this._isOn=!0,S.player=this,S.dispatchEvent(new Event("change")),this._audio??=this._load(t),this._audio.playbackRate=S.speed,this._audio.play().catch(()=>{})}pause(){this._isOn=!1,this._audio?.pause()}_load(t){let s=new Audio,i=(n,r)=>s.addEventListener(n,()=>s===this._audio&&r());return s.preload="none",i("loadedmetadata",()=>this._loaded(s)),i("durationchange",()=>this._measured(s)),i("playing",()=>this._sounds()),i("timeupdate",()=>this._moved()),i("play",()=>this._isOn=!0),i("pause",()=>this._isOn=this._isMeasuring&&this._isOn),i("ended",()=>this._isMeasuring||this._rewind()),i("error",()=>this._failed(s)),s.src=t,s}_loaded(t){this._isMeasuring=!Number.isFinite(t.duration),this._isMeasuring?t.currentTime=on:this._at&&(t.currentTime=this._at)}_measured(t){!this._isMeasuring||!Number.isFinite(t.duration)||(this._isMeasuring=!1,t.currentTime=this._at,this._isOn&&t.play().catch(()=>{}))}_sounds(){this._hasSounded=!0,this._isTold||this.dispatchEvent(new CustomEvent("samia:played",{bubbles:!0})),this._isTold=!0,this._follow()}_moved(){this._isDragging||this._isMeasuring||!this._hasSounded||(this._at=Math.min(this._audio.currentTime,this.seconds||1/0))}_follow(){if(matchMedia(rn).matches)return;let t=()=>{!this._isOn||!this._audio||!this.isConnected||(!this._isDragging&&!this._isMeasuring&&this._show(this._audio.currentTime),requestAnimationFrame(t))};requestAnimationFrame(t)}_failed(t){let s=this._hasSounded;if(this._audio=null,t.removeAttribute("src"),this._hasSounded=!1,s&&this._isOn){this.play();return}this._isOn=!1,this._trouble=navigator.onLine?o("This could not be played."):o("No connection. Try again in a moment.")}_unload(){let t=this._audio;this._audio=null,t?.pause(),t?.removeAttribute("src"),this._rewind()}_rewind(){this._isOn=!1,this._at=0,this._trouble="",this._hasSounded=!1,this._isMeasuring=!1,this._isDragging=!1,this._audio&&(this._audio.currentTime=0)}_tapeChanged(){S.player!==this&&this._isOn&&this.pause(),this._audio&&(this._audio.playbackRate=S.speed),this.requestUpdate()}seek(t){this.seconds&&(this._at=Math.min(Math.max(0,t),this.seconds),this._audio&&this._audio.readyState>0&&(this._audio.currentTime=this._at))}_pressed(t){if(t.stopPropagation(),t.button!==0||!this.seconds)return;let s=t.currentTarget,{left:i,width:n}=s.getBoundingClientRect(),r=({clientX:c})=>{this._at=Math.min(1,Math.max(0,(c-i)/n))*this.seconds},a=new AbortController,h=()=>{a.abort(),this._isDragging=!1,this.seek(this._at)};s.setPointerCapture(t.pointerId),this._isDragging=!0,r(t),s.addEventListener("pointermove",r,{signal:a.signal});for(let c of["pointerup","pointercancel"])s.addEventListener(c,h,{signal:a.signal})}_keyed(t){let s={ArrowRight:this._at+Rt,ArrowUp:this._at+Rt,ArrowLeft:this._at-Rt,ArrowDown:this._at-Rt,PageUp:this._at+Ss,PageDown:this._at-Ss,Home:0,End:this.seconds};if(t.key in s)this.seek(s[t.key]);else if(t.key===" "||t.key==="Enter")this.toggle();else return;t.preventDefault(),t.stopPropagation()}_faster(){S.speed=ue[(ue.indexOf(S.speed)+1)%ue.length],S.dispatchEvent(new Event("change"))}_show(t){let s=this.seconds?Math.min(1,t/this.seconds):0;this.querySelector(".wave")?.style.setProperty("--at",String(s))}updated(){this._show(this._at)}get _tabindex(){return this.isStop?"0":"-1"}render(){return this.form==="preview"?l`${this._playButton("icon-btn lead")}<span class="rec-wave preview">${this._wave()}</span
        ><span class="rec-time muted">${this._time()}</span>`:l`<div class=${this.form==="large"?"big-player":"voice"}>
        ${this._playButton("play")}
        <div>
          ${this._wave()}
          <div class="voice-row">
            ${ys(this.heard)}<span class="num">${this._time()}</span>${this._speed()}${this.meta}
          </div>
        </div>
      </div>
      ${this._notice()}`}_playButton(t){let s=w(this.seconds),i=this._isOn?o("Pause"):this.label??o("Play voice message, {length}",{length:s}),n=this.form==="large"?"i-lg":"";return l`<button
      type="button"
      class=${t}
      tabindex=${this._tabindex}
      aria-label=${i}
      ?disabled=${this._isClosed}
      @click=${this.toggle}
    >
      ${this._isOn?p("pause","i-lg"):p("play",this.form==="preview"?"":`i-fill ${n}`)}
    </button>`}get _isClosed(){return!!this.file&&this.file.state!=="ready"}_wave(){let t=ln(this.form),s=Dt(this.recording?this.recording.peaks:this.file?.waveform,t),i=r=>l`<svg
        class=${r}
        viewBox="0 0 ${Pt(t)} ${t.height}"
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path d=${s}></path>
      </svg>`,n={at:w(this._at),length:w(this.seconds)};return l`<div
      class="wave ${this._at>0||this._isOn?"is-begun":""}"
      role="slider"
      tabindex=${this._tabindex}
      aria-label=${o("Position")}
      aria-valuemin="0"
      aria-valuemax=${Math.max(1,Math.floor(this.seconds))}
      aria-valuenow=${Math.floor(this._at)}
      aria-valuetext=${o("{at} of {length}",n)}
      aria-disabled=${this.seconds?d:"true"}
      @pointerdown=${this._pressed}
      @keydown=${this._keyed}
    >
      ${i("bars")}${i("bars on")}<span class="head"></span>
    </div>`}_time(){let t=this.seconds?w(this.seconds):"\u2013:\u2013\u2013",s=this._at>0||this._isOn;return this.form==="preview"?s?w(this._at):t:s?`${w(this._at)} / ${t}`:t}_speed(){let t=`${$(S.speed)}\xD7`;return l`<button
      type="button"
      class="speed"
      tabindex=${this._tabindex}
      aria-label=${o("Speed {speed}",{speed:t})}
      ?disabled=${this._isClosed}
      @click=${this._faster}
    >
      ${t}
    </button>`}_notice(){let t=this.file?ot(this.file):"";return t?l`<p class="trouble">${p("info","i-sm")}<span>${t}</span></p>`:this._trouble?l`<p class="trouble bad" role="status">
      ${p("alert","i-sm")}<span>${this._trouble}</span>
      <button type="button" class="link" tabindex=${this._tabindex} @click=${this.play}>${o("Try again")}</button>
    </p>`:d}};customElements.define("samia-player",pe)});function Ts(e,{isStop:t,meta:s,heard:i}){let{type:n,file:r}=e;return r?n==="audio"?l`<samia-player .file=${r} .meta=${s} .heard=${i} .isStop=${t}></samia-player>`:r.state==="ready"&&n==="image"?hn(e,t):r.state==="ready"&&n==="video"?pn(r,t):Ms(r,t):null}function hn({id:e,content:t,file:s},i){let{width:n,height:r}=le(s),a=k(s,s.renditions.includes("thumbnail")?"thumbnail":"");return l`<button type="button" class="shot" tabindex=${Lt(i)} @click=${cn} data-message=${e}>
      <img
        src=${a}
        alt=${t||o("Picture {name}",{name:s.name})}
        width=${n}
        height=${r}
        loading="lazy"
        @error=${dn}
      />
    </button>
    <p class="trouble bad" role="status" hidden>
      ${p("alert","i-sm")}<span>${o("The picture could not be loaded.")}</span>
      <button type="button" class="link" tabindex=${Lt(i)} @click=${un}>${o("Try again")}</button>
    </p>`}function cn({currentTarget:e}){let t={act:"picture",id:e.dataset.message,anchor:e};e.dispatchEvent(new CustomEvent("samia:act",{bubbles:!0,detail:t}))}function dn({target:e}){let t=e.closest(".shot");t.hidden=!0,t.nextElementSibling.hidden=!1}function un({target:e}){let t=e.closest(".trouble"),s=t.previousElementSibling,i=s.querySelector("img");t.hidden=!0,s.hidden=!1,i.src=i.getAttribute("src"),s.focus()}function pn(e,t){let{width:s,height:i}=le(e),n=e.renditions.includes("poster")?k(e,"poster"):d;return l`<video
      controls
      playsinline
      preload="none"
      src=${k(e)}
      poster=${n}
      width=${s}
      height=${i}
      tabindex=${Lt(t)}
      aria-label=${o("Video {name}",{name:e.name})}
      @error=${_n}
    ></video>
    <div class="instead" hidden>${Ms(e,t)}</div>`}function _n({target:e}){e.hidden=!0,e.nextElementSibling.hidden=!1}function Ms(e,t){let s=ot(e),i=[as(e.name),e.duration_ms?w(e.duration_ms/1e3):"",gt(e.size)];return l`<div class="file">
    ${fn(e)}
    <div class="truncate">
      <div class="file-name" dir="auto">${e.name}</div>
      <div class="file-sub">${s||i.filter(Boolean).join(" \xB7 ")}</div>
    </div>
    ${s?d:fe(e,t)}
  </div>`}function fn(e,t="file"){if(e.state==="ready"&&e.renditions.includes("poster"))return l`<span class="file-tile"
      ><img src=${k(e,"poster")} alt="" width="44" height="44" loading="lazy" @error=${mn}
    /></span>`;let s=ot(e)&&e.state!=="processing";return l`<span class="file-tile">${p(s?"alert":t)}</span>`}function mn({target:e}){e.hidden=!0}function fe(e,t=!0){return l`<a
    class="icon-btn"
    href=${k(e)}
    download=${e.name}
    target="_blank"
    rel="noopener"
    tabindex=${Lt(t)}
    aria-label=${o("Download {name}",{name:e.name})}
    title=${o("Download")}
    >${p("download")}</a
  >`}function Lt(e){return e?"0":"-1"}var me=A(()=>{E();_e();B();R();y()});function ii({scale:e,x:t,y:s},i,n){let r=Math.min(si,Math.max(1,e)),a=(h,c)=>{let _=Math.max(0,(n[c]*r-i[c])/2);return Math.min(_,Math.max(-_,h))||0};return{scale:r,x:a(t,"width"),y:a(s,"height")}}function xe(e,t,s,i,n){return ai(e,[s],[s],t,i,n)}function ke(e,t,s,i,n){return ii({scale:e.scale,x:e.x+t,y:e.y+s},i,n)}function ni(e,t,s,i,n){return ai(e,t,s,ei(s)/(ei(t)||1),i,n)}function ri(e,t,s,i){return e.scale>1?Y:xe(e,Jn,t,s,i)}function oi(e,t,s){return Math.abs(e)>Math.abs(t)?Math.abs(e)<Xn?null:e<0!==s?"next":"previous":t>Zn?"close":null}function ai(e,t,s,i,n,r){let a=Math.min(si,Math.max(1,e.scale*i)),[h,c]=[ti(t),ti(s)],_=f=>c[f]-(h[f]-e[f])*a/e.scale;return ii({scale:a,x:_("x"),y:_("y")},n,r)}function ti(e){let t=s=>e.reduce((i,n)=>i+n[s],0)/e.length;return{x:t("x"),y:t("y")}}function ei([e,t]){return Math.hypot(e.x-t.x,e.y-t.y)}var Y,si,Jn,Xn,Zn,li=A(()=>{Y={scale:1,x:0,y:0},si=6,Jn=2,Xn=60,Zn=90});var pi={};gi(pi,{showPicture:()=>er});function er(e,t){new Se(e,t).open()}function sr({file:e,content:t}){return l`<img
      src=${k(e)}
      alt=${t||e.name}
      width=${e.width??d}
      height=${e.height??d}
      draggable="false"
      @error=${ir}
    />
    <p class="trouble bad" role="status" hidden>
      ${p("alert","i-sm")}<span>${o("The picture could not be loaded.")}</span>
    </p>`}function ir({target:e}){e.hidden=!0,e.nextElementSibling.hidden=!1}function ui(e,t,s,i){return l`<button
    type="button"
    class="icon-btn round step"
    aria-label=${s}
    ?hidden=${!e}
    @click=${i}
  >
    ${p(t,"i-flip")}
  </button>`}var Qn,hi,ci,di,tr,Se,_i=A(()=>{E();me();B();li();R();y();Qn=300,hi=24,ci=1.5,di=80,tr=.01;Se=class{constructor(t,s){this._messages=t,this._at=t.findIndex(i=>i.id===s),this._place=Y,this._fingers=new Map,this._isMirrored=document.documentElement.dir==="rtl",this._dialog=document.createElement("dialog"),this._dialog.className="viewer"}open(){let t=new AbortController;document.addEventListener("keydown",s=>this._keyed(s),t),window.addEventListener("resize",()=>this._move(Y),t),this._dialog.addEventListener("pointerdown",()=>this._fingers.size||(this._isGesture=!1),{capture:!0}),this._dialog.addEventListener("click",({target:s})=>{!this._isGesture&&!s.closest("img, button, a, figcaption")&&this._dialog.close()}),this._dialog.addEventListener("close",()=>{t.abort(),this._dialog.remove()}),this._draw(),document.body.append(this._dialog),this._dialog.showModal()}_go(t){this._messages[this._at+t]&&(this._at+=t,this._place=Y,this._fingers.clear(),this._draw())}get _sizes(){let{clientWidth:t,clientHeight:s}=this._dialog.querySelector("figure"),{offsetWidth:i,offsetHeight:n}=this._dialog.querySelector("img");return[{width:t,height:s},{width:i,height:n}]}_point({clientX:t,clientY:s}){let{left:i,top:n,width:r,height:a}=this._dialog.querySelector("figure").getBoundingClientRect();return{x:t-i-r/2,y:s-n-a/2}}_move(t){let s=t.scale!==this._place.scale;this._place=t,s&&this._draw(),this._show(t)}_show({scale:t,x:s,y:i}){let n=this._dialog.querySelector("img");n.style.transform=t===1&&!s&&!i?"":`translate(${s}px, ${i}px) scale(${t})`}_zoom(t,s={x:0,y:0}){this._move(xe(this._place,t,s,...this._sizes))}_keyed(t){if(t.ctrlKey||t.metaKey||t.altKey)return;let{key:s}=t,i={ArrowRight:[-1,0],ArrowLeft:[1,0],ArrowUp:[0,1],ArrowDown:[0,-1]};if(s==="+"||s==="=")this._zoom(ci);else if(s==="-")this._zoom(1/ci);else if(s==="0")this._move(Y);else if(s in i&&this._place.scale>1){let[n,r]=i[s];this._move(ke(this._place,n*di,r*di,...this._sizes))}else if(s==="ArrowRight")this._go(this._isMirrored?-1:1);else if(s==="ArrowLeft")this._go(this._isMirrored?1:-1);else return;t.preventDefault()}_wheeled(t){t.ctrlKey&&(t.preventDefault(),this._zoom(Math.exp(-t.deltaY*tr),this._point(t)))}_pressed(t){t.button!==0||t.target.closest("button")||(this._fingers.size||(this._start=this._point(t),this._hadTwo=!1),this._fingers.set(t.pointerId,this._point(t)),this._fingers.size===2&&(this._hadTwo=!0))}_slid(t){let s=[...this._fingers.values()];if(!this._fingers.has(t.pointerId)||s.length>2)return;let i=this._fingers.get(t.pointerId),n=this._point(t);this._fingers.set(t.pointerId,n),Math.hypot(n.x-this._start.x,n.y-this._start.y)>hi/2&&(this._isGesture=!0),s.length===2?this._move(ni(this._place,s,[...this._fingers.values()],...this._sizes)):this._place.scale>1?this._move(ke(this._place,n.x-i.x,n.y-i.y,...this._sizes)):t.pointerType!=="mouse"&&!this._hadTwo&&this._show({scale:1,x:n.x-this._start.x,y:Math.max(0,n.y-this._start.y)})}_lifted(t){let s=this._fingers.delete(t.pointerId)&&!this._fingers.size;if(this._show(this._place),!s||t.type!=="pointerup")return;let i=this._point(t);this._isGesture?this._place.scale===1&&t.pointerType!=="mouse"&&!this._hadTwo&&this._swiped(oi(i.x-this._start.x,i.y-this._start.y,this._isMirrored)):this._tapped(t,i)}_swiped(t){t==="close"?this._dialog.close():t&&this._go(t==="next"?1:-1)}_tapped({timeStamp:t,target:s},i){let n=this._tap,r=n&&t-n.at<Qn&&Math.hypot(i.x-n.point.x,i.y-n.point.y)<hi;this._tap=r||!s.closest("img")?null:{at:t,point:i},r&&this._move(ri(this._place,i,...this._sizes))}_draw(){et(this._picture(this._messages[this._at]),this._dialog)}_picture(t){let{file:s,content:i}=t,n=this._at===this._messages.length-1;return l`<header>
        <div class="truncate">
          <h2 class="truncate" dir="auto">${s.name}</h2>
          <p class="num" role="status">${this._about()}</p>
        </div>
        ${fe(s)}
        <button
          type="button"
          class="icon-btn"
          aria-label=${o("Close")}
          title=${o("Close")}
          autofocus
          @click=${()=>this._dialog.close()}
        >
          ${p("close")}
        </button>
      </header>
      <figure
        @pointerdown=${r=>this._pressed(r)}
        @pointermove=${r=>this._slid(r)}
        @pointerup=${r=>this._lifted(r)}
        @pointercancel=${r=>this._lifted(r)}
        @pointerleave=${r=>this._lifted(r)}
        @wheel=${r=>this._wheeled(r)}
      >
        ${ui(this._at>0,"chev-start",o("Previous picture"),()=>this._go(-1))}
        ${H([t],({id:r})=>r,sr)} ${ui(!n,"chev-end",o("Next picture"),()=>this._go(1))}
      </figure>
      ${i?l`<p class="caption" dir="auto">${i}</p>`:d}`}_about(){let{length:t}=this._messages,s=t>1?o("{at} of {length}",{at:$(this._at+1),length:$(t)}):"",{scale:i}=this._place;return[s,i>1?oe(i):""].filter(Boolean).join(" \xB7 ")}}});E();B();y();var zi=24*3600*1e3,hs=900*1e3,Gi=2e3,cs="UTC",$t=new Map,at=new Map;function ds(e){cs=e,$t.clear(),at.clear()}function bt(e){return vt({hour:"2-digit",minute:"2-digit",hourCycle:"h23"}).format(new Date(e))}function P(e){let t=Math.floor(new Date(e).getTime()/hs),s=at.get(t);return s||(s=vt({year:"numeric",month:"2-digit",day:"2-digit"},"en-CA-u-nu-latn").format(t*hs),at.size>=Gi&&at.clear(),at.set(t,s)),s}function yt(e,t=Date.now()){let s=Yi(e,t);if(s)return s;let i=P(e).slice(0,4)===P(t).slice(0,4);return vt({day:"numeric",month:"long",...i?{}:{year:"numeric"}}).format(new Date(e))}function Yi(e,t,s="long"){let i=Math.round((Date.parse(P(t))-Date.parse(P(e)))/zi);return i===0?o("Today"):i===1?o("Yesterday"):i>1&&i<7?vt({weekday:s}).format(new Date(e)):""}function vt(e,t=mt()){let s=t+JSON.stringify(e);return $t.has(s)||$t.set(s,new Intl.DateTimeFormat(t,{timeZone:cs,...e})),$t.get(s)}var D=JSON.parse(document.getElementById("page").textContent);y();var us=Date.parse(D.now)-Date.now(),Ki=6e4,lt=60,wt=24*lt;function At(e){return{approved:o("Approved by somebody else"),rejected:o("Rejected by somebody else"),withdrawn:o("Deleted by its sender")}[e]??o("Somebody else has decided about it.")}function Et(e){return Math.max(0,Math.floor((Date.now()+us-Date.parse(e))/Ki))}function ps(e){return e<1?o("now"):e<lt?o("{count} min",{count:$(e)}):e<wt?o("{count} h",{count:$(Math.floor(e/lt))}):o("{count} d",{count:$(Math.floor(e/wt))})}function _s(e){return e<lt?q("{count} minute","{count} minutes",e):e<wt?q("{count} hour","{count} hours",Math.floor(e/lt)):q("{count} day","{count} days",Math.floor(e/wt))}function fs(e){return P(e)===P(Date.now()+us)?"":`${yt(e)} `}function xt(e){return e?.duration_ms?w(e.duration_ms/1e3):"\u2013:\u2013\u2013"}function ms(e){return{client:o("Client"),reader:o("Reader")}[e]??o("Staff")}function gs(e){return{active:o("Active"),paused:o("Paused"),locked:o("Locked"),ended:o("Ended"),archived:o("Archived")}[e]??"\u2013"}function $s({code:e}){return{already_reviewed:o("Somebody else has decided about it."),not_pending:o("It does not wait any more."),session_state:o("The session is over: it can only be rejected."),file_processing:o("The file is still being checked. Try again in a moment."),file_rejected:o("The file is harmful or damaged: it can only be rejected."),forbidden:o("You may not decide about your own."),unreachable:o("No connection. Try again in a moment.")}[e]??o("That did not work. Try again in a moment.")}ht();B();y();var Zi=6;function St(e){return e?.display_name||o("Somebody")}function Tt(e){let t=e.split(/\s+/).filter(s=>s&&s!=="\xB7").map(s=>[...s][0]);return/^[\u0600-\u06ff]/.test(e)?t[0]??"":t.slice(0,2).join("").toUpperCase()}function Mt(e){return parseInt(e.slice(-4),16)%Zi+1}function Ct(e){return e.deleted_at?o("This message was deleted"):e.content?e.content:e.type==="audio"?Qi(e.file):e.type==="file"?e.file?.name||o("File"):{image:o("Picture"),video:o("Video")}[e.type]||o("Emergency call")}function Qi(e){let t=o("Voice message");return e?.duration_ms?`${t} \xB7 ${w(e.duration_ms/1e3)}`:t}function vs({type:e,file:t}){return(e==="image"||e==="video")&&t?.state==="ready"}ce();z();R();y();var en=5,sn=3e4,de=class extends x{static properties={items:{attribute:!1},open:{attribute:!1},isAway:{attribute:!1}};constructor(){super(),this.items=[],this.open=null,this.isAway=!1}connectedCallback(){super.connectedCallback(),this._refresh=setInterval(()=>this.requestUpdate(),sn)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this._refresh)}render(){return l`<div role="status">${this.isAway?nn():d}</div>
      ${this._list()}`}_list(){return this.items.length?l`<ul class="queue">
      ${H(this.items,({message:t})=>t.id,t=>l`<li>${this._row(t)}</li>`)}
    </ul>`:l`<div class="empty">
        <span class="disc">${p("check")}</span>
        <h2>${o("Nothing waits")}</h2>
        <p>${o("Voice messages that need approval appear here by themselves.")}</p>
      </div>`}_row({message:t,sender_name:s,sender_avatar:i,session_title:n,decided:r}){let a=Et(t.created_at);return l`<a
      class="q-item ${r?"decided":""}"
      href="#${t.id}"
      aria-current=${t.id===this.open?"true":d}
    >
      ${kt({initials:Tt(s),colour:Mt(t.sender),picture:i})}
      <div class="truncate">
        <div class="session-top">
          <span class="session-name truncate" dir="auto">${s}</span
          ><time class=${a>=en?"late":""} datetime=${t.created_at}
            >${ps(a)}</time
          >
        </div>
        <div class="session-bot">
          <span class="session-last"><span dir="auto">${r?At(r):n}</span></span>
        </div>
        <div class="session-bot">
          <svg class="small-wave bars" viewBox="0 0 ${Pt(Ot)} ${Ot.height}" aria-hidden="true">
            <path d=${Dt(t.file?.waveform,Ot)}></path></svg
          ><span class="num">${xt(t.file)}</span>
        </div>
      </div>
    </a>`}};function nn(){return l`<div class="banner">
    ${p("cloud-off","i-sm")}<span>${navigator.onLine?o("Reconnecting\u2026"):o("You are offline.")}</span>
  </div>`}customElements.define("samia-approval-list",de);E();E();me();var gn="\\u231A\\u231B\\u23E9-\\u23EC\\u23F0\\u23F3\\u25FD\\u25FE\\u2614\\u2615\\u2648-\\u2653\\u267F\\u2693\\u26A1\\u26AA\\u26AB\\u26BD\\u26BE\\u26C4\\u26C5\\u26CE\\u26D4\\u26EA\\u26F2\\u26F3\\u26F5\\u26FA\\u26FD\\u2705\\u270A\\u270B\\u2728\\u274C\\u274E\\u2753-\\u2755\\u2757\\u2795-\\u2797\\u27B0\\u27BF\\u2B1B\\u2B1C\\u2B50\\u2B55\\u{1F004}\\u{1F0CF}\\u{1F18E}\\u{1F191}-\\u{1F19A}\\u{1F201}\\u{1F21A}\\u{1F22F}\\u{1F232}-\\u{1F23A}\\u{1F250}\\u{1F251}\\u{1F300}-\\u{1F6FF}\\u{1F7E0}-\\u{1F7F0}\\u{1F90C}-\\u{1F9FF}\\u{1FA70}-\\u{1FAFF}",Ps="\\u00A9\\u00AE\\u203C-\\u3299\\u{1F170}-\\u{1F17F}\\u{1F202}\\u{1F237}",Cs="[\\u{1F3FB}-\\u{1F3FF}]",$n="[\\u{E0020}-\\u{E007E}]+\\u{E007F}",Os=`(?:[${gn}]\\uFE0F?|[${Ps}](?:\\uFE0F|(?=${Cs}|\\u200D)))${Cs}?(?:${$n})?`,Ds=`${Os}(?:\\u200D(?:${Os}|[${Ps}]))*`,Rs="[\\u{1F1E6}-\\u{1F1FF}]{2}",Ls="[0-9#*]\\uFE0F?\\u20E3",bn=new RegExp(`${Rs}|${Ls}|${Ds}`,"gu"),yn=new RegExp(`^(?:[ \\n]*(?:${Rs}|${Ls}|${Ds})){1,3}[ \\n]*$`,"u");function Ns(e){return yn.test(e)?e.match(bn).length:0}var vn=/https?:\/\/[^\s<>"'`]+/gi,wn=".,;:!?\u2026\u061F\u060C\u061B\xBB\u201D\u2019",Is={")":"(","]":"[","}":"{"};function Nt(e){let t=[],s=0;for(let i of e.matchAll(vn)){let n=An(i[0]);n.endsWith("://")||(i.index>s&&t.push({text:e.slice(s,i.index),isLink:!1}),t.push({text:n,isLink:!0}),s=i.index+n.length)}return s<e.length&&t.push({text:e.slice(s),isLink:!1}),t}function An(e){let t=e;for(;t;){let s=t.at(-1),i=s in Is&&Fs(t,s)>Fs(t,Is[s]);if(!wn.includes(s)&&!i)break;t=t.slice(0,-1)}return t}function Fs(e,t){return e.split(t).length-1}var It={letters:900,lines:12},Us={letters:700,lines:9},En=60;function qs(e){let t=e.split(`
`);if(e.length<=It.letters&&t.length<=It.lines)return null;let s=[...e];if(s.length<=It.letters&&t.length<=It.lines)return null;let i=Math.min(Us.letters,Bs(t.slice(0,Us.lines).join(`
`))),n=kn(e,xn(s,i));return n<s.length&&s.slice(0,n).join("").replace(/[ \n]+$/,"")||null}function xn(e,t){for(let s=t;s>Math.max(0,t-En);s-=1)if(e[s]===" "||e[s]===`
`)return s;return t}function kn(e,t){let s=0;for(let i of Nt(e)){let n=s+Bs(i.text);if(i.isLink&&s<t&&t<n)return s||n;s=n}return t}function Bs(e){return[...e].length}ht();z();R();y();var ge=new Set,$e=class extends x{static properties={message:{attribute:!1},tick:{attribute:!1},name:{attribute:!1},quoteName:{attribute:!1},quoteText:{attribute:!1},status:{attribute:!1},may:{attribute:!1},isOwn:{attribute:!1},heard:{attribute:!1},mayRecord:{attribute:!1},isStop:{attribute:!1}};get _tabindex(){return this.isStop?"0":"-1"}render(){return this.message.deleted_at?this._gone():l`<div class="bubble">
        ${this.name?l`<b class="who" dir="auto">${this.name}</b>`:d}${this._quote()}
        ${this._content()}${this._held()}
      </div>
      ${this._actions()}${this._after()}`}_gone(){return l`<div class="bubble">
      ${this.name?l`<b class="who" dir="auto">${this.name}</b>`:d}
      <span class="line">${p("trash","i-sm")}<span>${o("This message was deleted")}</span>${this._time("meta")}</span>
    </div>`}_content(){let{message:t}=this,s=t.content?d:this._meta(),i=Ts(t,{isStop:this.isStop,meta:s,heard:this.heard});if(!i)return this._body(Ct(t));let n=t.type==="audio"&&!t.content;return l`${i}${n?d:this._body(t.content)}`}_body(t){let s=t?qs(t):null,i=s!==null&&!ge.has(this.message.id),n=this.message.type==="text"?Ns(t):0,r=i?" folded":n?` big big-${n}`:"";return l`<div class="body${r}" dir="auto">${t?l`<p>${this._parts(i?s:t)} </p>`:d}${s===null?d:this._fold(i)}${this._meta()}</div>`}_fold(t){return l`<button
      type="button"
      class="link more"
      tabindex=${this._tabindex}
      aria-expanded=${t?"false":"true"}
      @click=${this._toggleFold}
    >
      ${t?o("Show more"):o("Show less")}
    </button>`}async _toggleFold(){let{id:t}=this.message,s=ge.delete(t);s||ge.add(t),this.requestUpdate(),await this.updateComplete,s&&this.scrollIntoView({block:"nearest"})}_parts(t){return Nt(t).map(({text:s,isLink:i})=>i?l`<a href=${s} target="_blank" rel="noopener noreferrer" dir="ltr">${s}</a>`:s)}_quote(){return this.quoteText===null?d:l`<button type="button" class="quote" tabindex=${this._tabindex} @click=${()=>this._act("jump")}>
      <b dir="auto">${this.quoteName}</b><span dir="auto">${this.quoteText}</span
      ><span class="vh">${o("Show the original message")}</span>
    </button>`}_meta(){return l`<span class="meta"
      >${this.message.edited_at?l`<span>${o("edited")}</span>`:d}${this._time()}${this.tick&&this.tick!=="failed"?bs(this.tick):d}</span
    >`}_time(t=""){let s=this.message.created_at;return l`<time class=${t||d} datetime=${s}>${bt(s)}</time>`}_held(){let{status:t,reason:s}=this.message;if(t==="pending_approval"){let i=this.isOwn?o("Only you and our team can hear it."):o("Only the sender and our team can hear it.");return l`<div class="note">
        ${p("clock","i-sm")}
        <p><b>${o("Waiting for approval")}</b>${i}</p>
      </div>`}return t!=="rejected"?d:l`<div class="note">
      ${p("alert","i-sm")}
      <p><b>${o("Not approved")}</b><span dir="auto">${s||o("Nobody else can hear it.")}</span></p>
    </div>`}_actions(){return this.may?l`<div class="acts">
      ${this._button("reply","reply",o("Reply"),"i-flip")}${this._button("edit","edit",o("Edit"))}
      <button
        type="button"
        class="icon-btn"
        tabindex=${this._tabindex}
        aria-label=${o("More")}
        aria-haspopup="menu"
        @click=${t=>this._act("menu",t.currentTarget)}
      >
        ${p("more")}
      </button>
    </div>`:d}_button(t,s,i,n=""){return this.may.split(" ").includes(t)?l`<button
      type="button"
      class="icon-btn"
      tabindex=${this._tabindex}
      aria-label=${i}
      title=${i}
      @click=${()=>this._act(t)}
    >
      ${p(s,n)}
    </button>`:d}_after(){return this.tick==="failed"?l`<div class="after bad" role="status">
        ${p("alert","i-sm")}<span>${this.status}</span>
        <button type="button" @click=${()=>this._act("retry")}>${o("Try again")}</button>
        <button type="button" @click=${()=>this._act("discard")}>${o("Delete")}</button>
      </div>`:this.message.status==="rejected"&&this.mayRecord?l`<div class="after">
        <button type="button" class="link" tabindex=${this._tabindex} @click=${()=>this._act("record")}>
          ${o("Record again")}
        </button>
      </div>`:this.status?l`<div class="after">${this.status}</div>`:d}_act(t,s=null){let i={act:t,id:this.message.id,anchor:s};this.dispatchEvent(new CustomEvent("samia:act",{bubbles:!0,detail:i}))}};customElements.define("samia-message",$e);_e();var Ws="samia.files",be="files",Ft=class{constructor({me:t,databases:s=()=>globalThis.indexedDB,locks:i=globalThis.navigator?.locks}){this._me=t,this._databases=s,this._locks=i,this._last=Promise.resolve(),this._held=new Map,this._isWiped=!1}keep(t){return this._inTurn(async()=>{if(this._isWiped)throw new DOMException("","InvalidStateError");await this._hold(t.id),await this._do("readwrite",s=>s.put({...t,owner:this._me}))})}forget(t){return this._inTurn(()=>this._do("readwrite",s=>s.delete(t))).finally(()=>this._release(t))}count(){return this._do("readonly",t=>t.count())}wipe(){return this._isWiped=!0,this._inTurn(()=>this._do("readwrite",t=>t.clear()))}async offer(t){for(let{id:s,owner:i}of await this._do("readonly",n=>n.getAll()))i!==this._me?await this.forget(s):this._held.has(s)||this._hold(s).then(()=>this._handOver(s,t),()=>{})}async _handOver(t,s){let i=await this._do("readonly",n=>n.get(t));i?s(i):this._release(t)}_inTurn(t){let s=this._last.then(t);return this._last=s.catch(()=>{}),s}_hold(t){if(!this._locks)return Promise.resolve();if(!this._held.has(t)){let s={},i=new Promise(n=>s.release=n);s.has=new Promise((n,r)=>{this._locks.request(`${Ws}.${t}`,()=>(n(),i)).catch(r)}),this._held.set(t,s)}return this._held.get(t).has}_release(t){this._held.get(t)?.release(),this._held.delete(t)}async _do(t,s){this._opening??=Sn(this._databases());let i=(await this._opening).transaction(be,t);return new Promise((n,r)=>{let a=s(i.objectStore(be));i.oncomplete=()=>n(a.result),i.onabort=()=>r(i.error)})}};function Sn(e){return new Promise((t,s)=>{let i=e.open(Ws,1);i.onupgradeneeded=()=>i.result.createObjectStore(be,{keyPath:"id"}),i.onsuccess=()=>t(i.result),i.onerror=()=>s(i.error)})}var Ut=class{constructor(t=Tn()){this._storage=t,this._memory=new Map}get(t){let s=this._memory.get(t)??this._storage?.getItem(t);try{return s?JSON.parse(s):null}catch{return null}}set(t,s){let i=JSON.stringify(s);try{this._storage.setItem(t,i),this._memory.delete(t)}catch{this._memory.set(t,i)}}remove(t){this._memory.delete(t),this._storage?.removeItem(t)}entries(t){return this._names(t).map(s=>this.get(s)).filter(s=>s!==null)}wipe(t,s=null){for(let i of this._names(t))(s===null||!i.startsWith(s))&&this.remove(i)}_names(t){let s=this._storage?Array.from({length:this._storage.length},(i,n)=>this._storage.key(n)):[];return[...new Set([...s,...this._memory.keys()])].filter(i=>i.startsWith(t))}};function Tn(){try{return globalThis.localStorage??null}catch{return null}}var js="samia.draft.",ye="samia.out.",Mn=1e3,T=D.user.id,ve=new Ut,Hs=new Ft({me:T});for(let e of[js,ye])ve.wipe(e,`${e}${T}.`);async function zs(e=0){let t=await Hs.count().catch(()=>0);return ve.entries(`${ye}${T}.`).length+Math.max(t,e)}async function we(){for(let t of[js,ye])ve.wipe(`${t}${T}.`);let e=new Promise(t=>setTimeout(t,Mn));await Promise.race([Hs.wipe().catch(()=>{}),e])}async function Gs(){await we(),location.replace(`${D.sign_in}?next=${encodeURIComponent(location.pathname)}`)}B();function Ys({messages:e,me:t,newAfter:s=null,newCount:i=()=>0,dayOf:n}){let r=[],a=null,h=null,c=s===null;for(let _ of e){let f=n(_);(a===null||f>a)&&(r.push({kind:"day",key:`day-${_.id}`,at:_.created_at}),a=f,h=null),!c&&_.seq>s&&_.sender!==t&&(r.push({kind:"unread",key:"unread",count:i()}),c=!0,h=null);let u=!h||!Cn(h.message,_);u||(h.isLast=!1),h={kind:"message",key:_.id,message:_,isOwn:_.sender===t,isFirst:u,isLast:!0},r.push(h)}return r}function Cn(e,t){return e.sender===t.sender&&e.type!=="system"&&t.type!=="system"&&Math.abs(Date.parse(t.created_at)-Date.parse(e.created_at))<6e5}ht();z();R();y();var On=500,Pn=3e4,Ae=class extends x{static properties={item:{attribute:!1},isEmpty:{attribute:!1},context:{attribute:!1},isDeciding:{attribute:!1},trouble:{attribute:!1},_reason:{state:!0},_isReasonMissing:{state:!0}};constructor(){super(),this.item=null,this.isEmpty=!0,this.context=null,this.isDeciding=!1,this.trouble="",this._forget()}connectedCallback(){super.connectedCallback(),this._refresh=setInterval(()=>this.requestUpdate(),Pn)}disconnectedCallback(){super.disconnectedCallback(),clearInterval(this._refresh)}willUpdate(t){t.has("item")&&t.get("item")?.message.id!==this.item?.message.id&&this._forget()}updated(t){t.has("item")&&t.get("item")?.message.id!==this.item?.message.id&&this.querySelector(".review-body")?.scrollTo(0,0)}_forget(){this._reason="",this._isReasonMissing=!1}get _mayDecide(){return this.item&&!this.item.decided&&!this.isDeciding&&this.item.message.sender!==T}approve(){this._mayDecide&&this._tell("samia:verdict",{verdict:"approve"})}reject(){if(!this._mayDecide)return;let t=this._reason.trim();this._isReasonMissing=!t,t?this._tell("samia:verdict",{verdict:"reject",reason:t}):this.updateComplete.then(()=>this._askWhy())}_askWhy(){let t=this.querySelector(".reasons textarea");t?.focus({preventScroll:!0}),t?.scrollIntoView({block:"center"})}play(){this.querySelector(".card samia-player")?.toggle()}focus(){this.querySelector(".review-body")?.focus({preventScroll:!0})}_tell(t,s){this.dispatchEvent(new CustomEvent(t,{bubbles:!0,detail:s}))}_choose(t){this._reason=t,this._isReasonMissing=!1}_reasonKeyed(t){if(t.key==="Escape")t.target.blur();else if(t.key==="Enter"&&(t.ctrlKey||t.metaKey))this.reject();else return;t.preventDefault()}render(){return this.item?this._review(this.item):this._nothing()}_nothing(){let[t,s]=this.isEmpty?[o("Nothing waits"),o("Voice messages that need approval appear here by themselves.")]:[o("Choose a voice message"),o("You hear it with what was said before. That you look is recorded.")];return l`<div class="empty">
      <span class="disc">${p("shield")}</span>
      <h2>${t}</h2>
      <p>${s}</p>
    </div>`}_review(t){return l`${this._head(t)}
      <div class="banner" role="note">
        ${p("eye","i-sm")}<span>${o("You are looking in. That you read this session is recorded.")}</span>
      </div>
      <div class="review-body" tabindex="0" role="region" aria-label=${o("Voice message")}>
        <div class="review-in">
          ${t.decided?Rn(t.decided):d}
          <section class="card">
            <samia-player .form=${"large"} .file=${t.message.file}></samia-player>
            ${t.message.content?l`<p class="card-text" dir="auto">${t.message.content}</p>`:d}
            ${this._facts(t)}
          </section>
          <section>
            <h2 class="kicker">${o("The last messages of the session")}</h2>
            ${this._contextLines(t)}
          </section>
          ${this._reasons(t)}
        </div>
      </div>
      ${this._verdict(t)}`}_head({message:t,sender_name:s,sender_avatar:i,session_title:n}){let a=(this.context?.session?.participants.filter(({user:_,left_at:f})=>_!==t.sender&&!f)??[]).map(St).join(" \xB7 "),h=this.context?.session?.booking?.service||n,c=o("sent {time}",{time:`${fs(t.created_at)}${bt(t.created_at)}`});return l`<header class="thread-head">
      <a class="icon-btn only-phone" href="#" aria-label=${o("Back to the queue")}>${p("chev-start","i-flip")}</a>
      ${kt({initials:Tt(s),colour:Mt(t.sender),picture:i})}
      <div class="thread-who">
        <h1 class="truncate" dir="auto">${a?o("{name} to {others}",{name:s,others:a}):s}</h1>
        <p>
          ${h?l`<span class="truncate" dir="auto">${h}</span><span aria-hidden="true">·</span>`:d}<span
            >${c}</span
          >
        </p>
      </div>
      <div class="head-actions">
        <button
          type="button"
          class="icon-btn hide-phone"
          aria-label=${o("Previous")}
          title=${o("Previous")}
          @click=${()=>this._tell("samia:step",-1)}
        >
          ${p("chev-up")}
        </button>
        <button
          type="button"
          class="icon-btn"
          aria-label=${o("Next")}
          title=${o("Next")}
          @click=${()=>this._tell("samia:step",1)}
        >
          ${p("chev-down")}
        </button>
      </div>
    </header>`}_facts({message:t,sender_role:s,session_status:i}){let n=[[o("Sender"),ms(s)],[o("Session"),gs(this.context?.session?.status??i)],[o("Size"),t.file?`${xt(t.file)} \xB7 ${gt(t.file.size)}`:"\u2013"],[o("Waiting"),_s(Et(t.created_at))]];return l`<dl class="facts">
      ${n.map(([r,a])=>l`<div>
            <dt>${r}</dt>
            <dd>${a}</dd>
          </div>`)}
    </dl>`}_contextLines({message:t}){let{session:s,messages:i,problem:n}=this.context??{};if(n)return l`<p class="trouble bad" role="status">
        ${p("alert","i-sm")}<span>${o("They could not be loaded.")}</span>
        <button type="button" class="link" @click=${()=>this._tell("samia:again")}>${o("Try again")}</button>
      </p>`;if(!i)return l`<p class="muted" role="status">${o("Loading")}</p>`;let r=Ys({messages:i,me:t.sender,dayOf:({created_at:h})=>P(h)});if(!r.length)return l`<p class="muted">${o("Nothing was written yet.")}</p>`;let a=new Map(s.participants.map(h=>[h.user,h]));return l`<div class="context" role="list">
      ${r.map(h=>h.kind==="day"?l`<div class="day" role="listitem">${yt(h.at)}</div>`:h.message.type==="system"?l`<div class="system" role="listitem">${h.message.content}</div>`:Dn(h,a,i))}
    </div>`}_reasons({decided:t}){if(t)return d;let s=[o("There is too much noise in the background. Please record it again in a quieter place."),o("It cannot be understood. Please speak closer to the microphone."),o("It shares contact details. Please leave them out."),o("It asks for payment outside of the platform."),o("It is not about the booking.")],i=[o("Background noise"),o("Hard to hear"),o("Contact details"),o("Payment outside"),o("Not about the booking")];return l`<section class="reasons">
      <h2 class="kicker" id="reason-label">${o("If you reject, tell the sender why")}</h2>
      <div class="chips" role="group" aria-labelledby="reason-label">
        ${s.map((n,r)=>l`<button
              type="button"
              class="chip"
              aria-pressed=${this._reason===n?"true":"false"}
              @click=${()=>this._choose(this._reason===n?"":n)}
            >
              ${i[r]}
            </button>`)}
      </div>
      <textarea
        dir="auto"
        rows="2"
        maxlength=${On}
        placeholder=${o("The sender sees this. Say what to change, and where.")}
        aria-label=${o("Reason for rejecting")}
        aria-invalid=${this._isReasonMissing?"true":d}
        .value=${this._reason}
        @input=${n=>this._choose(n.target.value)}
        @keydown=${this._reasonKeyed}
      ></textarea>
    </section>`}_verdict({decided:t,message:s}){if(t)return l`<footer class="verdict">
        <div class="verdict-in">
          <button type="button" class="btn" @click=${()=>this._tell("samia:step",1)}>
            ${o("Next")}<kbd>J</kbd>
          </button>
        </div>
      </footer>`;let i=s.sender===T,n=this._isReasonMissing?o("Say why: the sender reads it."):this.trouble;return l`<footer class="verdict">
      ${n?l`<p class="trouble bad" role="alert">${p("alert","i-sm")}<span>${n}</span></p>`:d}
      <div class="verdict-in">
        <div class="keys" aria-hidden="true">
          <span><kbd>J</kbd><kbd>K</kbd>${o("next, previous")}</span><span><kbd>${o("Space")}</kbd>${o("play")}</span>
        </div>
        <button type="button" class="btn btn-danger" ?disabled=${this.isDeciding||i} @click=${this.reject}>
          ${o("Reject")}<kbd aria-hidden="true">R</kbd>
        </button>
        <button type="button" class="btn btn-primary" ?disabled=${this.isDeciding||i} @click=${this.approve}>
          ${p("check")}${o("Approve")}<kbd aria-hidden="true">A</kbd>
        </button>
      </div>
    </footer>`}};function Dn({message:e,isOwn:t,isFirst:s,isLast:i},n,r){let a=e.reply_to?r.find(({id:c})=>c===e.reply_to):null,h=["msg",t&&"own",s&&"first",i&&"last",e.deleted_at&&"gone",vs(e)&&"pics"];return l`<samia-message
    class=${h.filter(Boolean).join(" ")}
    role="listitem"
    data-id=${e.id}
    .message=${e}
    .tick=${null}
    .name=${s?St(n.get(e.sender)):""}
    .quoteName=${a?St(n.get(a.sender)):o("Earlier message")}
    .quoteText=${e.reply_to?a?Ct(a):o("Show the original message"):null}
    .status=${""}
    .may=${""}
    .isOwn=${t}
    .isStop=${!0}
  ></samia-message>`}function Rn(e){return l`<p class="decided-notice" role="status">${p("info")}<span>${At(e)}</span></p>`}customElements.define("samia-approval-review",Ae);var Ln={dark:"not all",light:"all",system:"(prefers-color-scheme: light)"},Nn={dark:"light",light:"system",system:"dark"},In=365*24*3600;function Fn(e){document.getElementById("light").media=Ln[e];for(let t of document.querySelectorAll("[data-theme-switch]"))t.dataset.themeSwitch=e,t.setAttribute("aria-label",t.dataset[e]),t.title=t.dataset[e]}document.addEventListener("click",e=>{let t=e.target.closest("[data-theme-switch]");if(!t)return;let s=Nn[t.dataset.themeSwitch],i=location.protocol==="https:"?"; Secure":"";document.cookie=`samia_theme=${s}; Path=/; Max-Age=${In}; SameSite=Lax${i}`,Fn(s)});E();z();R();y();var Un=7e3;function qt(e){document.dispatchEvent(new CustomEvent("samia:toast",{detail:e}))}var Ee=class extends x{static properties={_toasts:{state:!0}};constructor(){super(),this._toasts=[],this._lastKey=0}connectedCallback(){super.connectedCallback(),this.listen(document,"samia:toast",({detail:t})=>this._show(t))}_show(t){let s=++this._lastKey;this._toasts=[...this._toasts,{...t,key:s}],t.stays||this._leaveLater(s)}_leaveLater(t){setTimeout(()=>{this.querySelector(`[data-key="${t}"]`)?.matches(":hover, :focus-within")?this._leaveLater(t):this._dismiss(t)},Un)}_dismiss(t){this._toasts=this._toasts.filter(s=>s.key!==t)}_act({key:t,action:s}){this._dismiss(t),s.act()}render(){return l`<div class="toasts" role="status">
      ${H(this._toasts,t=>t.key,t=>l`<div class="toast" data-key=${t.key}>
            <span class="disc ${t.isBad?"bad":""}">${p(t.icon)}</span>
            <p dir="auto">${t.text}</p>
            ${t.action?l`<button type="button" class="btn btn-quiet" @click=${()=>this._act(t)}>${t.action.text}</button>`:d}
            <button type="button" class="icon-btn" aria-label=${o("Dismiss")} @click=${()=>this._dismiss(t.key)}>
              ${p("close")}
            </button>
          </div>`)}
    </div>`}};customElements.define("samia-toasts",Ee);var Bt=class extends Error{constructor({status:t,code:s,detail:i,retryAfter:n=null}){super(i),Object.assign(this,{status:t,code:s,retryAfter:n})}};async function G(e,t,s){let i={Accept:"application/json"};s!==void 0&&(i["Content-Type"]="application/json"),e!=="GET"&&(i["X-CSRFToken"]=Bn());let n;try{n=await fetch(t,{method:e,headers:i,body:s===void 0?void 0:JSON.stringify(s)})}catch{throw new Bt({status:0,code:"unreachable",detail:"No answer came."})}let a=(n.headers.get("Content-Type")||"").includes("json")?await n.json():null;if(n.ok)return a;throw qn(n.status,a,n.headers.get("Retry-After"),n.statusText)}function qn(e,t,s,i){return e===401&&document.dispatchEvent(new CustomEvent("samia:signed-out")),new Bt({status:e,code:t?.code||"unknown",detail:t?.detail||i,retryAfter:Number(s)||null})}function Bn(){return document.cookie.match(/(?:^|; )samia_csrf=([^;]+)/)?.[1]||""}y();var Wn=100,jn=10,Ks={voice_approved:"approved",voice_rejected:"rejected",voice_withdrawn:"withdrawn"},Hn=150;async function zn(){let e=[],t=null;for(let s=0;s<jn;s+=1){let i=t===null?"":`&cursor=${encodeURIComponent(t)}`,n=await G("GET",`/api/chat/approvals?limit=${Wn}${i}`);if(e.push(...n.results),t=n.next,t===null)break}return e}var Wt=class extends EventTarget{constructor({me:t,read:s=zn,clock:i=globalThis}){super(),this.items=new Map,this._me=t,this._read=s,this._clock=i,this._timer=null,this._deciding=null,this._isReading=!1}list(){return[...this.items.values()].sort((t,s)=>Date.parse(t.message.created_at)-Date.parse(s.message.created_at))}get waiting(){return this.list().filter(({message:t,decided:s})=>s===null&&t.sender!==this._me)}follow(t){t.addEventListener("welcome",()=>this.read());for(let s of["voice_approval_needed",...Object.keys(Ks)])t.addEventListener(s,({detail:i})=>this.apply(i))}take(t){let s=new Map(t.map(i=>[i.message.id,i]));for(let i of this.items.keys())s.has(i)||this._decidedElsewhere(i,"unknown");for(let[i,n]of s)this.items.set(i,{...n,decided:this.items.get(i)?.decided??null});this._changed()}apply({type:t,message:s}){let i=this.items.get(s.id);t==="voice_approval_needed"?i?this.items.set(s.id,{...i,message:s}):this._soon():this._decidedElsewhere(s.id,Ks[t]),this._changed()}async decide(t,s){this._deciding=t;try{await s()}catch(i){throw this._deciding=null,(i.code==="already_reviewed"||i.code==="not_pending")&&this._decidedElsewhere(t,"unknown"),this._changed(),i}this._deciding=null,this.dismiss(t)}_decidedElsewhere(t,s){let i=this.items.get(t);i?.decided===null&&t!==this._deciding&&this.items.set(t,{...i,decided:s})}dismiss(t){this.items.delete(t),this._changed()}async read(){if(this._isReading){this._soon();return}this._isReading=!0;try{this.take(await this._read())}catch{}finally{this._isReading=!1}}_soon(){this._clock.clearTimeout(this._timer),this._timer=this._clock.setTimeout(()=>this.read(),Hn)}_changed(){this.dispatchEvent(new Event("change"))}};function Vs(e,t){for(let s of e.querySelectorAll("[data-approvals]")){let i=s.querySelector(".badge");i.textContent=t?$(t):"",i.hidden=t===0}}E();y();function Js(e){let t=q("{count} message was not sent and will be lost.","{count} messages were not sent and will be lost.",e);return Gn({title:o("Sign out?"),text:t,no:o("Cancel"),yes:o("Sign out")})}function Gn({title:e,text:t,no:s,yes:i}){return new Promise(n=>{let r=document.createElement("dialog");r.setAttribute("aria-labelledby","confirm-title"),et(l`<form method="dialog">
        <h2 id="confirm-title">${e}</h2>
        <p>${t}</p>
        <div class="row">
          <button class="btn" value="no" autofocus>${s}</button>
          <button class="btn btn-danger" value="yes">${i}</button>
        </div>
      </form>`,r),r.addEventListener("close",()=>{r.remove(),n(r.returnValue==="yes")}),document.body.append(r),r.showModal()})}async function Xs(e,{last:t=()=>{},here:s=0}={}){e.preventDefault();let i=await zs(s);i&&!await Js(i)||(t(),await we(),e.target.submit())}y();var Zs=6e5;function Qs(e){let t=-Zs;e.addEventListener("file_waiting",()=>{performance.now()-t<Zs||(t=performance.now(),qt({icon:"alert",isBad:!0,text:o("The virus scanner does not answer. Files wait until it does.")}))})}var Yn="samia.v1";var Kn={4400:"bad_frame",4413:"too_big"};function Vn(e,t=Math.random){let s=Math.min(3e4,1e3*2**e);return 500+t()*(s-500)}var ct=class extends Error{constructor(t,s="",i=null){super(s||t),Object.assign(this,{code:t,retryAfter:i})}},jt=class extends EventTarget{constructor({url:t,user:s,WebSocket:i=globalThis.WebSocket,clock:n=globalThis,random:r=Math.random}){super(),this.state="waiting",this._url=t,this._user=s,this._WebSocket=i,this._clock=n,this._random=r,this._attempt=0,this._questions=new Map,this._lastRef=0,this._timers={}}start(){this._connect()}hurry(){this.state==="waiting"?this._connect():this.state==="open"&&this._probe()}end(){this._drop("ended")}send(t){return this.state!=="open"?!1:(this._socket.send(JSON.stringify(t)),!0)}ask(t){let s=`q${++this._lastRef}`;return new Promise((i,n)=>{this.send({...t,ref:s})?this._questions.set(s,{resolve:i,reject:n}):n(new ct("closed"))})}_connect(){this._stopTimers(),this._become("connecting");let t=new this._WebSocket(this._url,Yn);this._socket=t,t.onmessage=s=>this._hear(JSON.parse(s.data)),t.onclose=s=>this._closed(s.code),this._timers.patience=this._clock.setTimeout(()=>this._lose(),15e3)}_hear(t){if(this._heardAt=this._clock.performance.now(),this._clock.clearTimeout(this._timers.probe),t.type==="welcome"){if(t.user!==this._user){this.end(),this.dispatchEvent(new CustomEvent("stranger"));return}this._welcomed(t)}let s=t.ref?this._questions.get(t.ref):void 0;s&&(this._questions.delete(t.ref),t.type==="error"?s.reject(new ct(t.code,t.detail,t.retry_after??null)):s.resolve(t)),this.dispatchEvent(new CustomEvent("frame",{detail:t})),this.dispatchEvent(new CustomEvent(t.type,{detail:t}))}_welcomed(t){this._clock.clearTimeout(this._timers.patience),this._deadMs=t.heartbeat_seconds*1e3*2.2,this._timers.steady=this._clock.setTimeout(()=>this._attempt=0,5e3),this._timers.ping=this._clock.setInterval(()=>this.send({type:"ping"}),3e4),this._timers.watch=this._clock.setInterval(()=>this._watch(),Math.min(5e3,this._deadMs/2)),this._become("open")}_watch(){this._clock.performance.now()-this._heardAt>this._deadMs&&this._lose()}_probe(){this.send({type:"ping"}),this._clock.clearTimeout(this._timers.probe),this._timers.probe=this._clock.setTimeout(()=>this._lose(),5e3)}_lose(){this._drop("waiting"),this._connect()}_closed(t){if(t===4401||t===4403){this._drop("ended"),this.dispatchEvent(new CustomEvent("signed-out",{detail:{code:t}}));return}this._drop("waiting",Kn[t]),this._timers.reconnect=this._clock.setTimeout(()=>this._connect(),Vn(this._attempt++,this._random))}_drop(t,s="closed"){this._stopTimers(),this._socket&&(this._socket.onmessage=this._socket.onclose=null,this._socket.close(),this._socket=null);let i=[...this._questions.values()];this._questions.clear(),this._become(t);for(let{reject:n}of i)n(new ct(s))}_stopTimers(){for(let t of Object.values(this._timers))this._clock.clearTimeout(t);this._timers={}}_become(t){this.state!==t&&(this.state=t,this.dispatchEvent(new CustomEvent("state",{detail:t})))}};y();ns(D.words);ds(D.user.timezone);var nr=3500,rr=3e3,or=5,ar=/^#([0-9a-f-]{36})$/,Te=class extends HTMLElement{connectedCallback(){this._queue=new Wt({me:T}),this._socket=new jt({url:`${location.protocol==="https:"?"wss":"ws"}://${location.host}/ws/chat`,user:T}),this._going=new Set,this._open=null,this._list=this.querySelector("samia-approval-list"),this._review=this.querySelector("samia-approval-review"),this._wire(),this._queue.take(D.approvals),this._goTo(fi()),this._queue.follow(this._socket),Qs(this._socket),this._socket.start()}_wire(){this._queue.addEventListener("change",()=>this._queueChanged()),this._socket.addEventListener("state",()=>this._connectionChanged()),this._socket.addEventListener("signed-out",()=>this._leave()),this._socket.addEventListener("stranger",()=>location.reload()),this.addEventListener("samia:verdict",({detail:t})=>this._decide(t)),this.addEventListener("samia:step",({detail:t})=>this._step(t)),this.addEventListener("samia:again",()=>this._read(this._item)),this.addEventListener("samia:act",({detail:t})=>t.act==="picture"&&this._showPicture(t.id)),this.addEventListener("submit",t=>t.target.matches("[data-sign-out]")&&this._signOut(t)),window.addEventListener("hashchange",()=>this._goTo(fi())),document.addEventListener("keydown",t=>this._keyed(t)),document.addEventListener("samia:signed-out",()=>this._leave());for(let t of["online","offline","pageshow"])window.addEventListener(t,()=>this._socket.hurry());document.addEventListener("visibilitychange",()=>document.visibilityState==="visible"&&this._socket.hurry())}_connectionChanged(){clearTimeout(this._away),this._socket.state==="open"?this._list.isAway=!1:this._away=setTimeout(()=>this._list.isAway=!0,rr)}_signOut(t){Xs(t,{last:()=>this._socket.end()})}_leave(){this._socket.end(),Gs()}get _item(){return this._queue.items.get(this._open)??null}_queueChanged(){let t=this._queue.waiting.length;document.title=`${t?`(${$(t)}) `:""}${o("Voice approvals")} \xB7 ${o("SAMIA TAROT")}`,Vs(this,t);for(let{message:s,decided:i}of this._queue.list())i!==null&&this._letGo(s.id);this._show()}_show(){this.dataset.view=this._item?"review":"list",Object.assign(this._list,{items:this._queue.list(),open:this._open}),Object.assign(this._review,{item:this._item,isEmpty:this._queue.items.size===0})}_letGo(t){this._going.has(t)||(this._going.add(t),setTimeout(()=>{this._going.delete(t),t!==this._open&&this._queue.dismiss(t)},nr))}_goTo(t){if(t===this._open)return;let s=this._item;this._open=this._queue.items.has(t)?t:null,Object.assign(this._review,{context:null,trouble:""}),s?.decided&&this._queue.dismiss(s.message.id),this._show(),this._item&&this._read(this._item)}_step(t){let s=this._queue.list().filter(({decided:r,message:a})=>r===null||a.id===this._open),i=s.findIndex(({message:r})=>r.id===this._open),n=i<0?s[0]:s[i+t]??(this._item.decided?s[i-t]:null);n?location.hash=n.message.id:this._item?.decided&&(location.hash="")}async _read({message:t}){let s=`/api/chat/sessions/${t.session}`,i;this._review.context=null;try{let[n,r]=await Promise.all([G("GET",s),G("GET",`${s}/messages?limit=${or}`)]);i={session:n,messages:r.results}}catch(n){i={problem:n}}this._open===t.id&&(this._review.context=i)}async _showPicture(t){let{showPicture:s}=await Promise.resolve().then(()=>(_i(),pi)),i=({type:n,file:r})=>n==="image"&&r?.state==="ready";s(this._review.context.messages.filter(i),t)}async _decide({verdict:t,reason:s}){let{message:i,sender_name:n}=this._item,r=this._after(i.id),a=()=>G("POST",`/api/chat/messages/${i.id}/${t}`,s===void 0?void 0:{reason:s});Object.assign(this._review,{isDeciding:!0,trouble:""});try{await this._queue.decide(i.id,a),this._decided({isApproved:t==="approve",name:n,next:r})}catch(h){this._open===i.id&&(this._review.trouble=$s(h))}finally{this._review.isDeciding=!1}}_after(t){let s=this._queue.list().filter(({decided:n,message:r})=>n===null||r.id===t),i=s.findIndex(({message:n})=>n.id===t);return(s[i+1]??s[i-1])?.message.id??null}_decided({isApproved:t,name:s,next:i}){let n=t?o("Approved. The session can hear it now."):o("Rejected. {name} can read why.",{name:s});qt({icon:t?"check":"info",text:n}),history.replaceState(null,"",i?`#${i}`:location.pathname),this._goTo(i),this._review.updateComplete.then(()=>this._review.focus())}_keyed(t){if(t.ctrlKey||t.metaKey||t.altKey||t.isComposing||document.querySelector("dialog[open]")||t.target.closest("textarea, input, select"))return;let i={j:()=>this._step(1),k:()=>this._step(-1),a:()=>this._review.approve(),r:()=>this._review.reject()," ":()=>this._review.play()}[t.key.toLowerCase()];!i||t.key===" "&&t.target.closest("button, a, [role=slider]")||(t.preventDefault(),i())}};function fi(){return ar.exec(location.hash)?.[1]??null}customElements.define("samia-approvals",Te);
/*! Bundled license information:

@lit/reactive-element/css-tag.js:
  (**
   * @license
   * Copyright 2019 Google LLC
   * SPDX-License-Identifier: BSD-3-Clause
   *)

@lit/reactive-element/reactive-element.js:
lit-html/lit-html.js:
lit-element/lit-element.js:
lit-html/directive.js:
lit-html/async-directive.js:
lit-html/directives/repeat.js:
  (**
   * @license
   * Copyright 2017 Google LLC
   * SPDX-License-Identifier: BSD-3-Clause
   *)

lit-html/is-server.js:
  (**
   * @license
   * Copyright 2022 Google LLC
   * SPDX-License-Identifier: BSD-3-Clause
   *)

lit-html/directives/class-map.js:
lit-html/directives/guard.js:
  (**
   * @license
   * Copyright 2018 Google LLC
   * SPDX-License-Identifier: BSD-3-Clause
   *)

lit-html/directive-helpers.js:
lit-html/directives/live.js:
lit-html/directives/ref.js:
  (**
   * @license
   * Copyright 2020 Google LLC
   * SPDX-License-Identifier: BSD-3-Clause
   *)
*/
