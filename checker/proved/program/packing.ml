(* Hints for check_packed_rows.v and check_products.v: how many digits numbers keep, and how wide the slots are in which
   many stand in one integer. They decide nothing: the checkers look whether their numbers fit. Then the reader of rows
   for the first of these, many at once, a column in one integer: it is believed, as `told` says there. *)

module I = Z

open Absence_checkers

(* Leading digits that are kept of what enters a layer, and of its weights. *)
type kept = { values : int; weights : int }

let few = { values = 12; weights = 12 }
let some = { values = 18; weights = 18 }
let more = { values = 26; weights = 26 }
let all = { values = max_int; weights = max_int }

(* A larger integer is not made in OCaml's minor heap, which takes several times as long. *)
let words = 250

let ones n = I.pred (I.shift_left I.one n)
let longest = List.fold_left (fun most x -> max most (I.numbits x)) 0
let most_of = List.fold_left I.max I.zero

(* What a unit's sum is at most, in the digits that are left. *)
let sum_within c e most q u =
  let w, b = short c q u in
  I.add (I.add (I.mul most (zsizes w)) (I.abs b)) (slack c e most q u)

(* The way that keeps so many digits, and how far the forms may then be from all digits; in all of them nothing is lost.
   With each layer below stands how long its values are at some rows. *)
let way kept_of below forms bits =
  let left length kept = Int.max 0 (length - kept) in
  let cut_of units = I.of_int (left (longest (List.concat_map fst units)) kept_of.weights) in
  let widest c e most q units = I.numbits (most_of (List.map (sum_within c e most q) units)) + 2 in
  let rec over c e most = function
    | [] ->
      let q = cut_of forms in
      ([], q, widest c e most q forms, off_by c e most q)
    | (units, length) :: above ->
      let cut = cut_of units in
      let slot = widest c e most cut units and c' = I.add c cut in
      let kept = length - I.to_int c' in
      let lost = left kept kept_of.values in
      let bits = if kept_of = all then slot - 2 else max 0 (kept - lost) + 3 in
      let far = most_of (List.map (off_by c e most cut) units) in
      let e' = I.add far (I.shift_left (ones lost) (I.to_int c')) in
      let hints, q, slots, off = over (I.add c' (I.of_int lost)) e' (ones bits) above in
      ({ cut; lost = I.of_int lost; bits = I.of_int bits } :: hints, q, max slot slots, off) in
  let c = left bits kept_of.values in
  let most = I.shift_left I.one (bits - c) in
  let hints, last_cut, slot, off = over (I.of_int c) (ones c) most below in
  (* Whole bytes, as the reader writes them, and room for all that it writes of a number. *)
  let slot = (max slot (bits - c + 2) + 7) / 8 * 8 in
  ({ left_out = I.of_int c; most; slot = I.of_int slot; hints; last_cut }, off)

(* How many of them stand in one integer, in slots of so many bits. *)
let at_once slot count = Int.max 1 (Int.min count (words * 64 / I.to_int slot))

(* Groups of a layer's units for that, and the steps that take their sums apart. *)
let parts slot units =
  let count = Facts.int_of_nat units in
  let size = at_once slot count in
  let rec depth k = if 1 lsl k >= size then k else depth (k + 1) in
  (List.init ((count + size - 1) / size) (fun _ -> Facts.nat size), Facts.nat (depth 0))

(* Blocks of rows for that. *)
let row_blocks way rows =
  let n = Facts.int_of_nat rows in
  let size = at_once way.slot n in
  let whole = Facts.nat size and rest = n mod size in
  List.init (n / size) (fun _ -> whole) @ if rest = 0 then [] else [ Facts.nat rest ]

external write : bytes -> int -> int64 -> unit = "%caml_bytes_set64"

let refuse power =
  Arrays.malformed (if power = Arrays.no_float then "a number that is not finite" else "a number that is too large")

(* Numbers row by row: those that begin at these places, so many bytes after each; those of a column go to its own bytes.
   In the loops nothing puts a float's bits into the heap. A number is rounded down; if it is no longer than OCaml's, the
   greatest is added, so that none is below 0. *)
let narrow source places columns unit width fits written =
  let most = 1 lsl fits in
  for r = 0 to Array.length places - 1 do
    for j = 0 to Array.length columns - 1 do
      let bits = Arrays.bits_at source (places.(r) + columns.(j)) in
      let top = Int64.to_int (Int64.shift_right bits 52) in
      let power = Arrays.power_of top and sign = top asr 11 in
      let size = Arrays.size_of (Int64.to_int bits) power and shift = Arrays.exponent_of power - unit in
      let number = (size lxor sign) - sign in
      let found =
        if shift < 0 then number asr (if shift < -62 then 62 else -shift)
        else if size = 0 then 0
        else if shift > fits || size lsr (fits - shift) > 1 then refuse power
        else number lsl shift in
      let found = found + most in
      if power = Arrays.no_float || found < 0 || found > 2 * most then refuse power;
      write written.(j) (r * width) (Int64.of_int found)
    done
  done

(* A longer one is whole: those above 0 and those below are written apart, each where its first bit is not 0. *)
let long source places columns unit width fits above below =
  for r = 0 to Array.length places - 1 do
    for j = 0 to Array.length columns - 1 do
      let bits = Arrays.bits_at source (places.(r) + columns.(j)) in
      let top = Int64.to_int (Int64.shift_right bits 52) in
      let power = Arrays.power_of top in
      let size = Arrays.size_of (Int64.to_int bits) power and shift = Arrays.exponent_of power - unit in
      let up = if shift < 0 then 0 else shift in
      let kept = if shift < 0 then size lsr (if shift < -62 then 62 else -shift) else size in
      if shift < 0 && (shift <= -62 || kept lsl (-shift) <> size) && size <> 0 then
        Arrays.malformed "a row of another scale";
      let room = fits - up in
      if power = Arrays.no_float || (size <> 0 && room < 54 && (room < 0 || kept > 1 lsl room)) then refuse power;
      let written = if top < 0 then below.(j) else above.(j) in
      if kept <> 0 then write written ((r * width) + (up / 8)) (Int64.of_int (kept lsl (up land 7)))
    done
  done

(* The picked columns of rows, by their numbers: of each number over 2^power the leading digits; 0 for the others. *)
let block (array : Arrays.array) power way picked rows =
  let places = Array.of_list (List.map (fun i -> Arrays.at array (I.to_int i) 0) rows) in
  let n = Array.length places and width = I.to_int way.slot / 8 and fits = I.numbits way.most - 1 in
  let unit = power + I.to_int way.left_out in
  let places_of = List.mapi (fun j of_use -> if of_use then [ j * array.across ] else []) picked in
  let columns = Array.of_list (List.concat places_of) in
  let empty () = Array.map (fun _ -> Bytes.make ((n * width) + 8) '\000') columns in
  let whole bytes = I.of_bits (Bytes.sub_string bytes 0 (n * width)) in
  let found =
    if fits <= 60 then begin
      let written = empty () and middle = I.mul way.most (in_each way.slot (Facts.nat n)) in
      narrow array.bytes places columns unit width fits written;
      Array.map (fun bytes -> I.sub (whole bytes) middle) written
    end
    else if I.sign way.left_out > 0 then raise (Facts.Left "long numbers without their last digits")
    else begin
      let above = empty () and below = empty () in
      long array.bytes places columns unit width fits above below;
      Array.map2 (fun one other -> I.sub (whole one) (whole other)) above below
    end in
  let next = ref 0 in
  List.map (fun of_use -> if of_use then (incr next; found.(!next - 1)) else I.zero) picked
