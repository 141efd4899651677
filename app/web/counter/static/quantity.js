// @ts-check
/**
 * How many stamps: five radio buttons that look like one bar.
 *
 * @module counter/quantity
 *
 * @param {HTMLElement} fieldset
 * @param {(count: number) => void} [onChange] - a person chose
 */
export function createQuantity(fieldset, onChange) {
  const choices = /** @type {NodeListOf<HTMLInputElement>} */ (
    fieldset.querySelectorAll("input")
  );
  fieldset.addEventListener("change", () => onChange?.(value()));

  const value = () => Number([...choices].find((choice) => choice.checked)?.value ?? 1);
  return {
    value,
    /** @param {number} count */
    set(count) {
      for (const choice of choices) choice.checked = Number(choice.value) === count;
    },
  };
}
