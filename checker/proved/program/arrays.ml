(* Arrays of float64 in an npz file, as the numbers of check_integers.v: a mantissa times a power of two. An npz file is
   a zip archive of npy files, none of them compressed. What is here only reads: it decides nothing. *)

open Absence_checkers

let malformed what = raise (Json.Malformed what)
let u16 s at = String.get_uint16_le s at
let u32 s at = Int32.to_int (String.get_int32_le s at) land 0xFFFFFFFF
let u64 s at = Int64.to_int (String.get_int64_le s at)

(* The members in their order: name, place of the local header, first byte and length of the content. Sizes beyond four
   bytes, and those that a writer leaves open, stand in an extra field. *)
let members s =
  let sizes at =
    let name = u16 s (at + 26) and extra = u16 s (at + 28) in
    let data = at + 30 + name + extra in
    if u16 s (at + 8) <> 0 || u16 s (at + 6) land 8 <> 0 then malformed "the archive is compressed";
    let size =
      if u32 s (at + 22) < 0xFFFFFFFF then u32 s (at + 22)
      else if u16 s (at + 30 + name) = 1 then u64 s (at + 34 + name) else malformed "no size" in
    (String.sub s (at + 30) name, data, size) in
  let rec local at found =
    if u32 s at = 0x04034b50 then
      let name, data, size = sizes at in
      if size < 0 || data + size > String.length s then malformed "the archive ends";
      local (data + size) ((name, at, data, size) :: found)
    else (at, List.rev found) in
  (* The directory at the end must list the same members at the same places, so that no reader sees others. *)
  let rec directory at = function
    | (name, place, _, _) :: more ->
      let n = u16 s (at + 28) in
      if u32 s at <> 0x02014b50 || String.sub s (at + 46) n <> name || u32 s (at + 42) <> place then
        malformed "the archive lists other members";
      directory (at + 46 + n + u16 s (at + 30) + u16 s (at + 32)) more
    | [] -> if u32 s at <> 0x06054b50 || at + 22 <> String.length s then malformed "more after the archive" in
  let at, found = local 0 [] in
  directory at found;
  found

(* The number in row i and column j begins at byte start + i down + j across. A vector is one row. *)
type array = { rows : int; columns : int; vector : bool; start : int; down : int; across : int; bytes : string }

let at array i j = array.start + (i * array.down) + (j * array.across)

(* The bits of a float64, by a load that puts nothing into the heap; `array` sees to it that the bytes are in this order. *)
external bits_at : string -> int -> int64 = "%caml_string_get64"

(* A float is a whole number times a power of two. From its lowest 63 bits, and from what stands above the fraction: *)
let[@inline] power_of top = top land 0x7FF
let[@inline] size_of low power = low land 0xFFFFFFFFFFFFF lor if power = 0 then 0 else 0x10000000000000
let[@inline] exponent_of power = (if power = 0 then 1 else power) - 1075
let no_float = 0x7FF

(* An array of float64, one row if it is a vector. *)
let array s (data, size) =
  if Sys.big_endian then raise (Facts.Left "machines that write numbers from the left");
  if String.sub s data 8 <> "\x93NUMPY\x01\x00" then malformed "no npy file";
  let header = String.sub s (data + 10) (u16 s (data + 8)) in
  let start = data + 10 + String.length header in
  let scan form keep = try Scanf.sscanf header form keep with Scanf.Scan_failure _ | End_of_file -> raise Not_found in
  let shaped vector fortran rows columns =
    let fits = 0 <= rows && rows <= size && 0 <= columns && columns <= size in
    if not fits || start + (8 * rows * columns) <> data + size then malformed "an array of another size";
    let down, across = if fortran then (8, 8 * rows) else (8 * columns, 8) in
    { rows; columns; vector; start; down; across; bytes = s } in
  let fortran = function "True" -> true | "False" -> false | _ -> malformed "no order" in
  try scan "{'descr': '<f8', 'fortran_order': %[A-Za-z], 'shape': (%d, %d), } %!" (fun f -> shaped false (fortran f))
  with Not_found ->
    try scan "{'descr': '<f8', 'fortran_order': %[A-Za-z], 'shape': (%d,), } %!" (fun f -> shaped true (fortran f) 1)
    with Not_found -> raise (Facts.Left "an array of another type")

let file path =
  let channel = open_in_bin path in
  let s = Fun.protect ~finally:(fun () -> close_in channel)
      (fun () -> really_input_string channel (in_channel_length channel)) in
  List.map (fun (name, _, data, size) -> (name, array s (data, size))) (members s)

(* The float of these bits is m 2^e; m is odd or 0. A power of two that divides m is a float, whose exponent tells it. *)
let float_at array i j =
  let bits = bits_at array.bytes (at array i j) in
  let power = power_of (Int64.to_int (Int64.shift_right bits 52)) in
  if power = no_float then malformed "a number that is not finite";
  let m = size_of (Int64.to_int bits) power and e = exponent_of power in
  let zeros =
    if m = 0 then 0
    else Int64.to_int (Int64.shift_right_logical (Int64.bits_of_float (float_of_int (m land (-m)))) 52) - 1023 in
  ((if Int64.compare bits 0L < 0 then - (m lsr zeros) else m lsr zeros), e + zeros)

(* For each power of two of which there is a multiple, all bits of the numbers that it is multiplied with; not of 0. *)
let each_exponent array see =
  let found = Array.make no_float 0 in
  for i = 0 to array.rows - 1 do
    for j = 0 to array.columns - 1 do
      let bits = bits_at array.bytes (at array i j) in
      let power = power_of (Int64.to_int (Int64.shift_right bits 52)) in
      if power = no_float then malformed "a number that is not finite";
      found.(power) <- found.(power) lor size_of (Int64.to_int bits) power
    done
  done;
  Array.iteri (fun power fractions -> if fractions <> 0 then see (exponent_of power) fractions) found

let unit = Big_int_Z.unit_big_int
let whole = Big_int_Z.big_int_of_int

let number array i j =
  let m, e = float_at array i j in
  { mantissa = whole m; exponent = whole e; divisor = unit }

let row array i =
  if i < 0 || i >= array.rows then malformed "no such row";
  let rec from j kept = if j < 0 then kept else from (j - 1) (number array i j :: kept) in
  from (array.columns - 1) []
