// A curve whose point can be dragged, or moved with the keys of its slider.

export function enliven(figure) {
  const points = JSON.parse(figure.dataset.curve);
  const slider = figure.querySelector("#drag");
  const plot = figure.querySelector(".plot");
  const { name, field: place } = figure.dataset;

  const follow = () => {
    const [x, y, value, score] = points[slider.value];
    plot.querySelector(".here").setAttribute("d", `M${x} 0V100`);
    plot.querySelector(".dot").setAttribute("d", `M${x} ${y}h0.01`);
    const words = `${name} ${value || "not known"}: ${score}`;
    figure.querySelector("output").textContent = words;
    slider.setAttribute("aria-valuetext", words);
  };
  const settle = () => {
    const field = document.getElementById(place);
    const value = points[slider.value][2];
    if (!field || field.value === value) return;
    field.value = value;
    field.form.requestSubmit();
  };
  const reach = (event) => {
    const { left, width } = plot.getBoundingClientRect();
    const at = ((event.clientX - left) / width) * 100;
    const distances = points.map(([x]) => Math.abs(x - at));
    slider.value = distances.indexOf(Math.min(...distances));
    follow();
  };

  slider.addEventListener("input", follow);
  slider.addEventListener("change", settle);
  plot.addEventListener("pointerdown", (event) => {
    plot.setPointerCapture(event.pointerId);
    reach(event);
  });
  plot.addEventListener("pointermove", (event) => plot.hasPointerCapture(event.pointerId) && reach(event));
  plot.addEventListener("pointerup", settle);
}
