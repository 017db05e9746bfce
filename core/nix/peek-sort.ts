/**
 * Sorts as the reference does, so that the same questions are asked in the same order, whatever the order says: peeksort
 * (Munro and Wild), a merge sort that finds runs from the middle, with insertion below 17 elements. Nix: libutil/sort.hh.
 */
export function peekSort<T>(items: readonly T[], before: (a: T, b: T) => boolean): T[] {
  const list = [...items];
  if (list.length < 2) return list;
  if (list.length === 2) return before(list[1]!, list[0]!) ? [list[1]!, list[0]!] : list;
  sortRange(list, before, 0, list.length, 0, list.length);
  return list;
}

const INSERTION_LIMIT = 16;

/** Sorts `begin`…`end`, of which what is before `leftEnd` and from `rightBegin` on is sorted. */
function sortRange<T>(list: T[], before: (a: T, b: T) => boolean, begin: number, end: number, leftEnd: number, rightBegin: number): void {
  if (leftEnd === end || rightBegin === begin) return;
  if (end - begin <= INSERTION_LIMIT) {
    insertionSort(list, before, begin, end);
    return;
  }
  const middle = begin + ((end - begin) >> 1);
  if (middle <= leftEnd) {
    sortRange(list, before, leftEnd, end, leftEnd + 1, rightBegin);
    merge(list, before, begin, leftEnd, end);
    return;
  }
  if (middle >= rightBegin) {
    sortRange(list, before, begin, rightBegin, leftEnd, rightBegin - 1);
    merge(list, before, begin, rightBegin, end);
    return;
  }
  // The run around the middle, turned around where it falls.
  let low = middle;
  let high = middle;
  if (!before(list[middle]!, list[middle - 1]!)) {
    while (low - 1 > leftEnd && !before(list[low - 1]!, list[low - 2]!)) low--;
    low--;
    high--;
    while (high + 1 !== rightBegin && !before(list[high + 1]!, list[high]!)) high++;
    high++;
  } else {
    while (low - 1 > leftEnd && before(list[low - 1]!, list[low - 2]!)) low--;
    low--;
    high--;
    while (high + 1 !== rightBegin && before(list[high + 1]!, list[high]!)) high++;
    high++;
    for (let i = low, j = high - 1; i < j; i++, j--) [list[i], list[j]] = [list[j]!, list[i]!];
  }
  if (low === begin && high === end) return;
  if (middle - low < high - middle) {
    sortRange(list, before, begin, low, leftEnd, low - 1);
    sortRange(list, before, low, end, high, rightBegin);
    merge(list, before, begin, low, end);
  } else {
    sortRange(list, before, begin, high, leftEnd, low);
    sortRange(list, before, high, end, high + 1, rightBegin);
    merge(list, before, begin, high, end);
  }
}

function insertionSort<T>(list: T[], before: (a: T, b: T) => boolean, begin: number, end: number): void {
  for (let current = begin + 1; current < end; current++) {
    for (let i = current; i > begin && before(list[i]!, list[i - 1]!); i--) [list[i], list[i - 1]] = [list[i - 1]!, list[i]!];
  }
}

function merge<T>(list: T[], before: (a: T, b: T) => boolean, begin: number, middle: number, end: number): void {
  const left = list.slice(begin, middle);
  const right = list.slice(middle, end);
  let i = 0;
  let j = 0;
  let out = begin;
  while (i < left.length && j < right.length) list[out++] = before(right[j]!, left[i]!) ? right[j++]! : left[i++]!;
  while (i < left.length) list[out++] = left[i++]!;
  while (j < right.length) list[out++] = right[j++]!;
}
