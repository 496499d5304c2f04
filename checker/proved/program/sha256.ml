(* SHA-256 of a text, by FIPS 180-4: by it a certificate names the script that it speaks of. *)

let start = [|
  0x6a09e667; 0xbb67ae85; 0x3c6ef372; 0xa54ff53a; 0x510e527f; 0x9b05688c; 0x1f83d9ab; 0x5be0cd19;
|]

let rounds = [|
  0x428a2f98; 0x71374491; 0xb5c0fbcf; 0xe9b5dba5; 0x3956c25b; 0x59f111f1; 0x923f82a4; 0xab1c5ed5;
  0xd807aa98; 0x12835b01; 0x243185be; 0x550c7dc3; 0x72be5d74; 0x80deb1fe; 0x9bdc06a7; 0xc19bf174;
  0xe49b69c1; 0xefbe4786; 0x0fc19dc6; 0x240ca1cc; 0x2de92c6f; 0x4a7484aa; 0x5cb0a9dc; 0x76f988da;
  0x983e5152; 0xa831c66d; 0xb00327c8; 0xbf597fc7; 0xc6e00bf3; 0xd5a79147; 0x06ca6351; 0x14292967;
  0x27b70a85; 0x2e1b2138; 0x4d2c6dfc; 0x53380d13; 0x650a7354; 0x766a0abb; 0x81c2c92e; 0x92722c85;
  0xa2bfe8a1; 0xa81a664b; 0xc24b8b70; 0xc76c51a3; 0xd192e819; 0xd6990624; 0xf40e3585; 0x106aa070;
  0x19a4c116; 0x1e376c08; 0x2748774c; 0x34b0bcb5; 0x391c0cb3; 0x4ed8aa4a; 0x5b9cca4f; 0x682e6ff3;
  0x748f82ee; 0x78a5636f; 0x84c87814; 0x8cc70208; 0x90befffa; 0xa4506ceb; 0xbef9a3f7; 0xc67178f2;
|]

let word x = x land 0xffffffff
let turned x n = word ((x lsr n) lor (x lsl (32 - n)))

(* A block of 64 bytes from a place on, mixed into eight words. *)
let mixed state bytes from =
  let w = Array.make 64 0 in
  for t = 0 to 15 do w.(t) <- word (Int32.to_int (Bytes.get_int32_be bytes (from + 4 * t))) done;
  for t = 16 to 63 do
    let s0 = turned w.(t - 15) 7 lxor turned w.(t - 15) 18 lxor (w.(t - 15) lsr 3) in
    let s1 = turned w.(t - 2) 17 lxor turned w.(t - 2) 19 lxor (w.(t - 2) lsr 10) in
    w.(t) <- word (w.(t - 16) + s0 + w.(t - 7) + s1)
  done;
  let v = Array.copy state in
  for t = 0 to 63 do
    let a = v.(0) and e = v.(4) in
    let s1 = turned e 6 lxor turned e 11 lxor turned e 25 and s0 = turned a 2 lxor turned a 13 lxor turned a 22 in
    let chosen = (e land v.(5)) lxor (word (lnot e) land v.(6)) in
    let most = (a land v.(1)) lxor (a land v.(2)) lxor (v.(1) land v.(2)) in
    let one = v.(7) + s1 + chosen + rounds.(t) + w.(t) in
    Array.blit v 0 v 1 7;
    v.(4) <- word (v.(4) + one);
    v.(0) <- word (one + s0 + most)
  done;
  Array.map2 (fun a b -> word (a + b)) state v

let hexadecimal text =
  let size = String.length text in
  let whole = Bytes.make ((size + 72) / 64 * 64) '\000' in
  Bytes.blit_string text 0 whole 0 size;
  Bytes.set whole size '\128';
  Bytes.set_int64_be whole (Bytes.length whole - 8) (Int64.of_int (8 * size));
  let state = ref start in
  for block = 0 to Bytes.length whole / 64 - 1 do state := mixed !state whole (64 * block) done;
  String.concat "" (List.map (Printf.sprintf "%08x") (Array.to_list !state))
