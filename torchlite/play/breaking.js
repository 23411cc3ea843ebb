"use strict";
// Classic faults, put on layers of a run, and what of the checker notices them. Stands before play.js.
const Breaking = (() => {
  const { make } = arrays;

  return class Breaking {
    constructor(play, section) {
      Object.assign(this, { play, section, shown: "" });
      section.append(make("h2", "", "Break it"));
      this.controls = section.appendChild(make("div", "controls"));
      this.controls.hidden = !play.source.live;
      this.layer = this.choice("Layer");
      this.fault = this.choice("Fault");
      const button = this.controls.appendChild(make("button", "", "Break it"));
      button.type = "button";
      button.addEventListener("click", () => this.put(this.layer.value, this.fault.value));
      this.words = this.controls.appendChild(make("p", "note"));
      this.list = section.appendChild(make("ul"));
      this.list.setAttribute("aria-live", "polite");
      this.layer.addEventListener("change", () => this.chosen());
      this.fault.addEventListener("change", () => this.describe());
    }

    choice(name) {
      const label = this.controls.appendChild(make("label", "", `${name} `));
      return label.appendChild(make("select"));
    }

    // A check may take seconds: until then there is no second one.
    async put(position, fault) {
      if (this.busy) return;
      this.busy = true;
      await this.play.do({ do: "break", position, fault });
      this.busy = false;
    }

    update(frame) {
      if (this.run !== frame.run && this.play.source.live) this.fill(frame.run);
      const broken = JSON.stringify(frame.broken);
      this.section.hidden = !this.play.source.live && !frame.broken.length;
      if (broken === this.shown) return;
      this.shown = broken;
      const held = this.list.contains(document.activeElement);
      this.list.replaceChildren(...frame.broken.map((one) => this.item(one)));
      if (held) this.layer.focus();
    }

    // Until the answer is there no frame asks for another; where it is none, the next one does.
    async fill(run) {
      if (this.filling) return;
      this.filling = true;
      const answer = await this.play.do({ do: "faults" });
      this.filling = false;
      if (!answer || !answer.ok) return;
      this.run = run;
      this.faults = answer.faults;
      const before = this.layer.value;
      this.layer.replaceChildren(...this.faults.map(({ position, layer }) =>
        new Option(position === "net" ? "the loop" : `${position} ${layer}`, position)));
      if (this.faults.some(({ position }) => position === before)) this.layer.value = before;
      this.chosen();
      // A run may have begun meanwhile.
      this.update(this.play.frame);
    }

    chosen() {
      const { faults } = this.faults.find(({ position }) => position === this.layer.value) || { faults: [] };
      const before = this.fault.value;
      this.fault.replaceChildren(...faults.map(({ name }) => new Option(name)));
      if (faults.some(({ name }) => name === before)) this.fault.value = before;
      this.describe();
    }

    describe() {
      const { faults } = this.faults.find(({ position }) => position === this.layer.value) || { faults: [] };
      const fault = faults.find(({ name }) => name === this.fault.value);
      this.words.textContent = fault ? fault.words : "";
    }

    item({ position, layer, fault, words, noticed }) {
      const item = make("li"), head = item.appendChild(make("p"));
      head.append(make("b", "", position === "net" ? "The loop" : `${position} ${layer}`), `: ${fault}. ${words} `);
      if (this.play.source.live) {
        const mend = head.appendChild(make("button", "", "Mend it"));
        mend.type = "button";
        mend.addEventListener("click", () => this.put(position, null));
      }
      for (const { property, says } of noticed) {
        const [first] = says.split("\n");
        if (property === null) {
          item.append(make("p", "", first));
          continue;
        }
        const line = item.appendChild(make("p", "", "The checker notices it by "));
        line.append(make("b", "", property), ":");
        item.append(make("pre", "", says));
      }
      return item;
    }
  };
})();
