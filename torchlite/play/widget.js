// The page in a frame of its own, so that neither it nor the notebook sees the other's styles.
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "A network that learns";
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = model.get("page");
  frame.style.cssText = `width: 100%; height: ${model.get("height")}; border: 1px solid #888`;
  const asked = ({ source, data }) => {
    if (source === frame.contentWindow) model.send(data);
  };
  const answered = (answer) => frame.contentWindow.postMessage(answer, "*");
  addEventListener("message", asked);
  model.on("msg:custom", answered);
  el.append(frame);
  return () => {
    removeEventListener("message", asked);
    model.off("msg:custom", answered);
  };
}

export default { render };
