"""The style of results, in the front end's own colours; it travels with each output.

Imports nothing. Outputs are cleared apart from each other, so none may lean on another's style.
Outside Jupyter the system's colours count. Colours are mixed with that of the text, which keeps the
contrast at 4.5 or more; the browser tests compute it.
"""

from __future__ import annotations

_RULES = """
&{--fg:var(--jp-content-font-color1,CanvasText);
--ok:color-mix(in srgb,var(--jp-success-color1,#388e3c) 80%,var(--fg));
--bad:color-mix(in srgb,var(--jp-error-color1,#d32f2f) 80%,var(--fg));
--warn:color-mix(in srgb,var(--jp-warn-color0,#e65100) 70%,var(--fg));
--c:var(--bad);--dim:color-mix(in srgb,var(--fg) 78%,transparent);
--line:var(--jp-border-color2,#8884);color:var(--fg);max-width:60rem;margin:2px 0;
font:var(--jp-content-font-size1,14px)/1.55 var(--jp-content-font-family,system-ui,sans-serif)}
& code,& pre{font-family:var(--jp-code-font-family,ui-monospace,monospace);
font-size:var(--jp-code-font-size,13px);background:none;color:inherit;padding:0;margin:0;
overflow-wrap:anywhere}
& pre{white-space:pre-wrap;line-height:1.45}
& .i{display:inline-block;width:1.3em;font-weight:700}
& .ok{color:var(--ok)}& .bad{color:var(--bad)}& .warn{color:var(--warn)}& .dim{color:var(--dim)}
& .s{font-size:.88em}& a{color:var(--jp-content-link-color,LinkText)}
& .row{display:flex;gap:.35em;align-items:baseline;flex-wrap:wrap}& .grow{flex:1;font-size:0}
& .panel{border-left:3px solid var(--c);padding:.1em 0 .2em .8em;margin:.15em 0 .4em .3em}
& .panel.warn{--c:var(--warn)}& .panel.panel{color:inherit}
& .src{background:var(--jp-cell-editor-background,#8881);border:1px solid var(--line);
border-radius:3px;padding:.35em 0;margin:.4em 0}
& .src pre{padding:0 .7em}& .src .n{color:var(--dim)}
& .src .hot{background:color-mix(in srgb,var(--c) 14%,transparent)}
& summary{cursor:pointer}& details.cap{margin:.2em 0}
& .cap pre{padding:.2em 1em;color:var(--dim)}
& .bar{display:flex;height:6px;border-radius:3px;overflow:hidden;background:var(--line);
margin:.35em 0 .5em}
& .bar b{background:currentColor}& .bar .dim{opacity:.4}
& .t{border-collapse:collapse;width:100%;margin:.2em 0;table-layout:auto;border:0;
font-size:inherit}
& .t>tbody>tr>td{text-align:left;padding:.16em .9em .16em 0;border:0;background:none;
border-bottom:1px solid var(--line);vertical-align:baseline;white-space:nowrap;max-width:none;
font-size:inherit}
& .t>tbody>tr>td.w{width:99%;white-space:normal;overflow-wrap:anywhere}
& .t>tbody>tr>td.r{text-align:right;padding-right:0;font-variant-numeric:tabular-nums}
& .t>tbody>tr>td.s{font-size:.88em}
& .t>tbody>tr,& .t>tbody>tr:nth-child(odd),& .t>tbody>tr:hover{background:none}
& .d{border-collapse:collapse;margin:.3em 0 .5em;border:0;font-size:.88em;
font-family:var(--jp-code-font-family,ui-monospace,monospace)}
& .d th,& .d td{text-align:left;padding:.1em 1.2em .1em 0;border:0;color:inherit;background:none;
border-bottom:1px solid var(--line);white-space:pre-wrap}
& .d th{color:var(--dim);font-weight:400}& .d tr,& .d tr:hover{background:none}
& ul{list-style:none;margin:0;padding-left:1.15em;border-left:1px solid var(--line)}
& ul.top{padding-left:0;border:0}& li{margin:0;list-style:none}
& .out{margin:.2em 0 .4em 1em;overflow-x:auto}& .out img{max-width:100%;background:#fff}
"""

# Three times the class outweighs JupyterLab's own rules for tables, code and lists in outputs.
STYLE = f"<style>{_RULES.replace(chr(10), '').replace('&', '.nbx' * 3)}</style>"
"""What stands before the markup of an output."""
