-- While much is loaded: fewer checkpoints, after each of which every page is written whole into the log once more.
alter system set max_wal_size = '8GB';
