//! Damages a store's file on purpose: whole pages are overwritten with noise,
//! at places and with bytes that follow from a seed alone.

use std::io::{self, Read, Seek, SeekFrom, Write};

/// Bytes of a page of the store.
const PAGE_BYTES: usize = 4_096;
/// Pages damaged at most. Few of a large file, all of a very small one.
const PAGES_MAX: usize = 16;
/// Bytes of a file that can be damaged at most: all of it is read, and through
/// an engine's interface also sent.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// Overwrites up to 16 pages that hold anything and tells which, by number.
/// The same file and seed give the same pages; doing it again changes nothing.
///
/// # Errors
/// The file holds nothing to damage, or cannot be read or written; also if what
/// was written does not read back.
pub fn damage<F: Read + Write + Seek>(file: &mut F, seed: u64) -> io::Result<Vec<u64>> {
    let pages = file.seek(SeekFrom::End(0))? / PAGE_BYTES as u64;
    let mut damaged = Vec::new();
    let mut draw = seed;
    for _ in 0..PAGES_MAX {
        draw = mixed(draw);
        let Some(page) = next_used(file, draw, pages, &damaged)? else {
            break;
        };
        file.seek(SeekFrom::Start(page * PAGE_BYTES as u64))?;
        file.write_all(&noise(seed, page))?;
        damaged.push(page);
    }
    file.flush()?;
    if damaged.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it holds nothing that could be damaged",
        ));
    }
    if !is_damaged(file, seed, &damaged)? {
        return Err(io::Error::other("what was written did not read back"));
    }
    Ok(damaged)
}

/// Whether these pages hold what [`damage`] writes.
///
/// # Errors
/// The file cannot be read.
pub fn is_damaged<F: Read + Seek>(file: &mut F, seed: u64, pages: &[u64]) -> io::Result<bool> {
    for page in pages {
        if read_page(file, *page)? != noise(seed, *page) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first page from a drawn place on, round the end, that holds anything and
/// is not damaged yet. Empty pages are skipped: nobody would notice.
fn next_used<F: Read + Seek>(
    file: &mut F,
    draw: u64,
    pages: u64,
    damaged: &[u64],
) -> io::Result<Option<u64>> {
    for step in 0..pages {
        let page = (draw % pages + step) % pages;
        if !damaged.contains(&page) && read_page(file, page)?.iter().any(|byte| *byte != 0) {
            return Ok(Some(page));
        }
    }
    Ok(None)
}

fn read_page<F: Read + Seek>(file: &mut F, page: u64) -> io::Result<[u8; PAGE_BYTES]> {
    let mut bytes = [0; PAGE_BYTES];
    file.seek(SeekFrom::Start(page * PAGE_BYTES as u64))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn noise(seed: u64, page: u64) -> [u8; PAGE_BYTES] {
    let mut bytes = [0; PAGE_BYTES];
    let mut draw = mixed(seed ^ mixed(page));
    for word in bytes.chunks_exact_mut(8) {
        draw = mixed(draw);
        word.copy_from_slice(&draw.to_le_bytes());
    }
    bytes
}

/// A step of SplitMix64 (Steele, Lea, Flood 2014).
const fn mixed(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// So many pages, of which every third is empty.
    fn store(pages: u8) -> Cursor<Vec<u8>> {
        let page = |page: u8| vec![if page % 3 == 0 { 0 } else { page }; PAGE_BYTES];
        Cursor::new((0..pages).flat_map(page).collect())
    }

    #[test]
    fn the_same_seed_damages_the_same_used_pages_and_another_others() {
        let damaged = |seed| {
            let mut file = store(200);
            let pages = damage(&mut file, seed).unwrap();
            (pages, file.into_inner())
        };
        let (pages, bytes) = damaged(7);
        assert_eq!((pages.clone(), bytes.clone()), damaged(7));
        assert_eq!(pages.len(), PAGES_MAX);
        assert!(pages.iter().all(|page| page % 3 != 0), "{pages:?}");
        assert_ne!(pages, damaged(8).0);
        assert_ne!(bytes, store(200).into_inner());
    }

    #[test]
    fn damage_done_twice_changes_nothing_more() {
        let mut file = store(100);
        let pages = damage(&mut file, 1).unwrap();
        let once = file.clone().into_inner();
        assert_eq!(damage(&mut file, 1).unwrap(), pages);
        assert_eq!(file.into_inner(), once);
    }

    #[test]
    fn a_small_file_loses_every_used_page_and_an_empty_one_is_refused() {
        assert_eq!(damage(&mut store(3), 1).unwrap().len(), 2);
        assert!(damage(&mut store(1), 1).is_err());
        assert!(damage(&mut Cursor::new(vec![1; 100]), 1).is_err());
    }

    #[test]
    fn a_file_that_was_mended_is_not_damaged() {
        let mut file = store(50);
        let pages = damage(&mut file, 1).unwrap();
        assert!(is_damaged(&mut file, 1, &pages).unwrap());
        assert!(!is_damaged(&mut store(50), 1, &pages).unwrap());
    }
}
