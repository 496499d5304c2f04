(* Facts of an audit about the features of a hidden layer at the training rows, put to the checkers that Coq extracted.
   What is here reads, and chooses hints: it decides nothing. *)

open Absence_checkers
open Facts
open Audits

(* The columns of the inverse of a matrix modulo an odd prime below 2^31; none if it has no inverse. By Gauss and Jordan,
   in place: where an earlier row has its pivot the others are 0, so there they keep the coefficient of its unit vector.
   While others are taken from a row, its entries are from 0 to p^2 - 1, and no step asks for a remainder. *)
let inverse p rows =
  let n = Array.length rows and square = p * p in
  let take factor line row =
    for j = 0 to n - 1 do
      let left = row.(j) - (factor * line.(j)) in
      row.(j) <- left + (square land (left asr 62))
    done in
  let reduce row = Array.iteri (fun j a -> row.(j) <- a mod p) row in
  let rec power base e = if e = 0 then 1 else
      let half = power (base * base mod p) (e / 2) in
      if e mod 2 = 1 then half * base mod p else half in
  (* Where each row has its pivot, and which row has it there. *)
  let pivot = Array.make n 0 and row_of = Array.make n (-1) in
  let rec down k = k = n || begin
      let row = rows.(k) in
      for i = 0 to k - 1 do
        let factor = row.(pivot.(i)) mod p in
        row.(pivot.(i)) <- 0;
        if factor <> 0 then take factor rows.(i) row
      done;
      reduce row;
      let rec find j = if j = n || (row_of.(j) < 0 && row.(j) <> 0) then j else find (j + 1) in
      let j = find 0 in
      j < n && begin
        let over = power row.(j) (p - 2) in
        pivot.(k) <- j;
        row_of.(j) <- k;
        row.(j) <- 1;
        Array.iteri (fun j a -> row.(j) <- a * over mod p) row;
        down (k + 1)
      end
    end in
  let up k =
    let row = rows.(k) in
    let factors = Array.init n (fun i -> if i > k then row.(pivot.(i)) else 0) in
    for i = k + 1 to n - 1 do row.(pivot.(i)) <- 0 done;
    Array.iteri (fun i factor -> if factor <> 0 then take factor rows.(i) row) factors;
    reduce row in
  if down 0 then begin
    for k = n - 1 downto 0 do up k done;
    List.init n (fun i -> List.init n (fun j -> I.of_int rows.(row_of.(j)).(pivot.(i))))
  end
  else []

let independent subject fact =
  known [ "kind"; "layer"; "prime"; "rows"; "units" ] fact;
  let k, width = layer subject fact and p = whole (get "prime" fact) in
  let chosen = List.map whole (list (get "rows" fact)) in
  let members = if has "units" fact then List.map whole (list (get "units" fact)) else List.init width Fun.id in
  if not (no_twice members) then malformed "a unit is named twice";
  if List.length chosen <> List.length members + 1 then malformed "a minor has as many rows as columns";
  if p = 2 || p >= 1 lsl 31 || not (Features.prime p) then malformed "the modulus is no odd prime below 2^31";
  (* The features, in numbers that are the longer the higher the layer; the inverse, and the product with it. Nothing
     interrupts them. *)
  let size = float_of_int (List.length chosen) in
  let rec products layer below = function
    | width :: above -> (layer *. float_of_int (below * width)) +. products (layer +. 1.) width above
    | [] -> 0. in
  let once = products 1. subject.train.columns (prefix (k + 1) subject.widths) in
  subject.beyond (5e-9 *. size *. (once +. (size *. size)));
  let inverse features = inverse p (Array.of_list (List.map (fun u -> Array.of_list (List.map I.to_int u)) features)) in
  let n, row = numbered subject in
  check_minor subject.s subject.es subject.d subject.m subject.hidden subject.out n row (nat k) (pick width members)
    (I.of_int p) (List.map I.of_int chosen) Packing.parts inverse

(* The scale of combinations of the features of a layer: low enough for what is added to them too. *)
let combining subject k units =
  let sum = List.fold_left (fun found e -> found + I.to_int e.power) (I.to_int subject.s.power) (prefix (k + 1) subject.es) in
  let low found (w, b) = min (least_exponent found w) (least_exponent 0 [ b ] - sum) in
  let all = List.concat_map (fun (w, b) -> b :: w) units in
  { power = I.of_int (List.fold_left low 0 units); under = List.fold_left (fun found n -> I.lcm found n.divisor) I.one all }

(* Whether these are 0 at all training rows. *)
let vanishing subject at k units =
  let n, row = numbered subject and e = combining subject k units in
  let es = prefix (k + 1) subject.es @ [ e; Audits.power 0 ] in
  check_relations subject.s es (prefix (k + 1) (cuts subject at)) subject.d subject.m subject.hidden subject.out n row
    (nat k) units

let dependent subject at fact =
  known [ "kind"; "layer"; "coefficients" ] fact;
  let k, width = layer subject fact in
  match List.map hexadecimal (list (get "coefficients" fact)) with
  | one :: more when List.length more = width -> vanishing subject at k [ (more, one) ]
  | _ -> malformed "not one coefficient for each column"

(* Each row by the number of the first that is equal; -0 is 0. *)
let few_inputs subject fact =
  known [ "kind"; "layer"; "distinct_inputs" ] fact;
  let _, width = layer subject fact and stated = whole (get "distinct_inputs" fact) in
  let rows = subject.train.Arrays.rows and columns = subject.train.Arrays.columns in
  let first = Hashtbl.create 64 in
  let found = Array.init rows (fun i ->
      let key = List.init columns (fun j -> Arrays.float_at subject.train i j) in
      let key = List.map (fun (m, e) -> if m = 0 then (0, 0) else (m, e)) key in
      match Hashtbl.find_opt first key with Some j -> j | None -> Hashtbl.add first key i; i) in
  let reps = List.filter (fun i -> found.(i) = i) (List.init rows Fun.id) in
  let n, row = numbered subject in
  List.length reps = stated
  && check_few subject.s subject.d n row (List.map I.of_int reps) (fun i -> I.of_int found.(I.to_int i)) (nat width)

let answers subject facts _ =
  let at = at_row subject in
  List.map (fun fact -> match text (get "kind" fact) with
      | "full-rank" -> answer (fun () -> independent subject fact)
      | "dependency" -> answer (fun () -> dependent subject at fact)
      | "few-inputs" -> answer (fun () -> few_inputs subject fact)
      | _ -> "left") facts
